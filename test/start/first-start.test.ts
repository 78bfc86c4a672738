import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { readEnvironment } from '../../services/environment.ts';
import { welcome } from '../../services/welcome.ts';
import { temporaryFolder } from '../support/folder.ts';
import { isInstalled } from '../support/installed.ts';
import { startStandalone } from '../support/standalone.ts';

/** What a command in a folder printed on stderr, and its exit code. */
function run(
  folder: string,
  file: string,
  parameters: readonly string[],
  env = process.env,
): Promise<[number, string]> {
  return new Promise((settle) => {
    const child = execFile(file, parameters, { cwd: folder, env }, (_error, _stdout, stderr) => {
      settle([child.exitCode ?? -1, stderr]);
    });
  });
}

/** A checkout in which nothing was installed. */
async function bareCheckout(): Promise<string> {
  const folder = await temporaryFolder();
  await cp('package.json', join(folder, 'package.json'));
  for (const script of ['preflight.cjs', 'node-version.cjs']) {
    await cp(join('scripts', script), join(folder, 'scripts', script));
  }
  return folder;
}

describe('npm start', () => {
  test.each(['start', 'gateway', 'migrate', 'replay', 'skip'])(
    'as `npm run %s` without npm ci says so in a line',
    async (script) => {
      const [code, printed] = await run(await bareCheckout(), 'npm', ['run', '-s', script]);
      expect(code).toBe(1);
      expect(printed).toMatch(/^bubble-im: \d+ packages are not installed \(.*\): run "npm ci" first\n$/);
    },
  );

  test.each(['20.19.2', '24.8.0'])('on Node %s says so in a line', async (version) => {
    const older = join(await temporaryFolder(), 'older.cjs');
    await writeFile(older, `Object.defineProperty(process.versions, 'node', { value: '${version}' });`);
    const [code, line] = await run('.', process.execPath, ['--require', older, 'scripts/preflight.cjs']);
    expect(code).toBe(1);
    expect(line).toMatch(/^bubble-im: Node 24\.9 or later is needed, this is [\d.]+: [^\n]*\n$/);
    expect(line).toContain(`this is ${version}:`);
  });

  test('with an .env that cannot be read says so in a line, in place of starting without its variables', async () => {
    const folder = await temporaryFolder();
    // Root reads every file.
    await mkdir(join(folder, '.env'));
    const [code, line] = await run(folder, process.execPath, [resolve('scripts/preflight.cjs')]);
    expect(code).toBe(1);
    expect(line).toMatch(/^bubble-im: \.env cannot be read \(EISDIR\), [^\n]*\n$/);
  });

  test('goes on if everything is installed', async () => {
    expect(await run('.', process.execPath, ['scripts/preflight.cjs'])).toEqual([0, '']);
  });
});

describe('what Node compiles for a command', () => {
  /** Where a command of the checkout keeps it. */
  async function folderOf(environment: NodeJS.ProcessEnv): Promise<string> {
    const print = 'console.error(require("node:module").getCompileCacheDir())';
    const shown = `. scripts/keep-compiled.sh && '${process.execPath}' -e '${print}'`;
    const [, printed] = await run('.', 'sh', ['-c', shown], environment);
    return printed;
  }

  test('is kept beside the packages, or where NODE_COMPILE_CACHE says', async () => {
    const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
    expect(await folderOf(environment)).toContain(`${resolve('node_modules/.cache/bubble-im')}/`);
    const another = await temporaryFolder();
    expect(await folderOf({ ...environment, NODE_COMPILE_CACHE: another })).toContain(`${another}/`);
  });

  test('is kept for every command of operators', async () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile('package.json', 'utf8')));
    const commands = Object.values(scripts).filter(
      (script) => / scripts\/[\w-]+\.ts$/.test(script) && script.includes('preflight'),
    );
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.filter((script) => !script.includes('. scripts/keep-compiled.sh &&'))).toEqual([]);
  });
});

describe('the start', () => {
  const at = { address: 'http://127.0.0.1:8787', dataFolder: '/srv/im' };
  const appKeys = { key: 'key-1', secret: 'secret-of-the-app', file: '/srv/im/app-secret' };

  test('prints the addresses, the servers in use, and that no SMS is sent', async () => {
    const bubble = await startStandalone(await temporaryFolder());
    const printed = bubble.program.lines().join('\n');
    expect(printed).toContain(`API        ${bubble.url}/api`);
    expect(printed).toContain(`docs       ${bubble.url}/docs`);
    expect((await fetch(`${bubble.url}/docs`)).status).toBe(200);
    expect(printed).toMatch(/database {3}the embedded Postgres/);
    expect(printed).toMatch(/log {8}in the database/);
    expect(printed).toMatch(/bus {8}in memory/);
    expect(printed).toMatch(/SMS {8}none is sent; GET \/dev\/sms\?phone=…/);
    expect(printed).not.toContain(bubble.secret);
  });

  test('names the servers of the environment without their passwords', () => {
    const environment = readEnvironment({
      DATABASE_URL: 'postgres://im:hidden@db.example:5433/im?sslmode=require',
      EVENTSTORE_URL: 'esdb://admin:hidden@one:2113,two:2113?tls=false',
      NATS_URL: 'nats://user:hidden@nats.example:4222',
      ALIYUN_SMS_SIGN: '泡泡',
      ALIYUN_SMS_TEMPLATE: 'SMS_1',
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'id',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'hidden',
    });
    const printed = welcome(environment, { ...at, appKeys });
    expect(printed).toContain('Postgres at db.example:5433');
    expect(printed).toContain('EventStoreDB, several hosts');
    expect(printed).toContain('NATS at nats.example:4222');
    expect(printed).toContain('sent by Aliyun');
    expect(printed).not.toMatch(/hidden|secret-of-the-app/);
  });
});

test.skipIf(!isInstalled('script'))(
  'on a terminal the log is lines for people, apart from what the start says (needs script)',
  async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'data'));
    const program = `${process.execPath} services/standalone.ts`;
    const terminal = spawn('script', ['--quiet', '--return', '--command', program, '/dev/null'], {
      env: { PATH: process.env.PATH, DATA_DIR: join(folder, 'data'), PORT: '0', LOG_LEVEL: 'info' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void terminal.kill('SIGKILL'));
    let seen = '';
    let interrupted = false;
    terminal.stdout.on('data', (data: Buffer) => {
      seen += data;
      if (interrupted || !seen.includes('getsetting')) return;
      interrupted = true;
      // Ctrl-C, as a person types it.
      terminal.stdin.write('\x03');
    });
    await text(terminal.stdout);
    const printed = stripVTControlCharacters(seen).replaceAll('\r', '');
    expect(printed).toMatch(/\[\d\d:\d\d:\d\d\] INFO: the tables were brought up to date/);
    expect(printed).toMatch(/\n\nbubble-im runs\.\n/);
    expect(printed).toMatch(/getsetting\n\n.*INFO: ending/s);
    expect(printed).not.toContain('"level":');
  },
);
