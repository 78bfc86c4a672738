import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { launch, postgresPid, query, start } from '../support/installation.ts';
import { startProgram } from '../support/process.ts';
import { runScript } from '../support/script.ts';
import { startStandalone } from '../support/standalone.ts';

const keep = "insert into read.settings values ('app_name', 'kept')";
const kept = 'select value from read.settings';

describe('an installation of one process', () => {
  test('starts in an empty folder, and finds its data and its key the next time', async () => {
    const folder = join(await temporaryFolder(), 'data');
    const first = await start(folder);
    await query(first.databaseUrl, keep);
    first.program.signal('SIGTERM');
    expect(await first.program.ended).toBe(0);
    expect(await postgresPid(folder)).toBeUndefined();

    const second = await start(folder);
    expect((await query(second.databaseUrl, kept)).rows).toEqual([{ value: 'kept' }]);
    expect(second.appKeys).toEqual(first.appKeys);
    second.program.signal('SIGINT');
    expect(await second.program.ended).toBe(0);
  });

  test('finishes running requests, and stops Postgres last', async () => {
    const folder = await temporaryFolder();
    const { program, address } = await start(folder);
    const answer = fetch(`http://127.0.0.1:${address.port}/slow`, { headers: { connection: 'close' } });
    await program.line(/^a slow request$/);
    program.signal('SIGTERM');
    expect(await (await answer).text()).toBe('/slow');
    expect(await program.ended).toBe(0);
    expect(await postgresPid(folder)).toBeUndefined();
  });

  test('started twice at once on one folder: one runs, the other reports that and ends', async () => {
    const folder = await temporaryFolder();
    const programs = [launch(folder), launch(folder)];
    const codes = programs.map((program) => program.ended);
    const runs = await Promise.any(
      programs.map(async (program) => ({ program, line: await program.line(/^\{/) })),
    );
    const other = programs.findIndex((program) => program !== runs.program);
    expect(await codes[other]).toBe(1);
    expect(programs[other]?.stderr()).toBe(
      `bubble-im: the data folder ${folder} is in use by the process ${runs.program.pid}: stop it, or set another DATA_DIR\n`,
    );
    runs.program.signal('SIGTERM');
    expect(await runs.program.ended).toBe(0);
  });

  test('a used port is reported, and nothing stays running', async () => {
    const folder = await temporaryFolder();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const program = launch(folder, { PORT: port });
    expect(await program.ended).toBe(1);
    expect(program.stderr().split('\n').at(-2)).toContain(
      `bubble-im: port ${port} on 127.0.0.1 is used by another program: stop it, or set another PORT`,
    );
    expect(await postgresPid(folder)).toBeUndefined();
  });

  test('a host that is not an address of the machine is reported', async () => {
    const program = launch(await temporaryFolder(), { HOST: '192.0.2.1' });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain('192.0.2.1 is not an address of this machine: set another HOST');
  });

  test('with DATABASE_URL it has its tables there and starts no Postgres', async () => {
    const [folder, database] = [await temporaryFolder(), await createEmptyDatabase()];
    const { program, databaseUrl } = await start(folder, { DATABASE_URL: database.url });
    expect(databaseUrl).toBe(database.url);
    expect((await query(database.url, kept)).rowCount).toBe(0);
    expect((await readdir(folder)).toSorted()).toEqual(['app-secret', 'lock', 'pid']);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    await database.drop();
  });

  test('a DATABASE_URL without a server is reported, without its password', async () => {
    const url = 'postgresql://im:secret@127.0.0.1:1/im';
    const program = launch(await temporaryFolder(), { DATABASE_URL: url });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toMatch(
      /^bubble-im: the database of DATABASE_URL cannot be used \(.*ECONNREFUSED/,
    );
    expect(program.stderr()).not.toContain('secret');
  });

  test('can be migrated by command, while it runs or not', async () => {
    const folder = await temporaryFolder();
    const migrate = () =>
      promisify(execFile)(process.execPath, ['scripts/migrate.ts'], {
        env: { PATH: process.env.PATH, DATA_DIR: folder, LOG_LEVEL: 'warn' },
      });
    expect((await migrate()).stdout).toContain('applied 0001-log\n');
    const { program } = await start(folder);
    expect((await migrate()).stdout).toBe('nothing to do\n');
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  test.each([
    ['replay'],
    ['replay', '--follow'],
    ['explain', 'account', '1'],
    ['as-of', '--at', '1h', 'settings'],
    ['verify'],
    ['verify', '--read-models'],
    ['rebuild'],
    ['rebuild', '--audit'],
    ['export', '--to', 'nowhere'],
    ['backup', '--to', 'nowhere'],
  ])('is not created by a command that looks for one: %s %s', async (command, ...parameters) => {
    const folder = join(await temporaryFolder(), 'none');
    const { code, stderr } = await runScript(command, parameters, { DATA_DIR: folder });
    expect(stderr).toContain(`there is no installation in ${folder}`);
    expect(code).toBe(1);
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  test('is shown by a replay with --follow that began before the program, and did not prevent its start', async () => {
    const DATA_DIR = await temporaryFolder();
    const first = await startStandalone(DATA_DIR);
    first.program.signal('SIGTERM');
    expect(await first.program.ended).toBe(0);
    const replay = startProgram('scripts/replay.ts', ['--follow'], { DATA_DIR });
    await expect.poll(() => replay.stderr(), { timeout: 20_000 }).toContain('waiting for bubble-im to run');
    const second = await startStandalone(DATA_DIR);
    const account = { username: 'follower', password: 'secret-1', nickname: 'f' };
    expect(await second.call('/api/user/add', 'server', account)).toMatchObject({ code: 0 });
    expect(await replay.line(/UserRegistered/)).toContain('follower');
    replay.signal('SIGTERM');
    expect(await replay.ended).toBe(0);
  });

  test('ends regularly if npm, which started it, gets the signal', async () => {
    const DATA_DIR = await temporaryFolder();
    const npm = spawn('npm', ['start'], {
      env: { ...process.env, DATA_DIR, PORT: '0', DATABASE_URL: '', EVENTSTORE_URL: '', NATS_URL: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    npm.stdout.setEncoding('utf8');
    let output = '';
    npm.stdout.on('data', (text: string) => {
      output += text;
    });
    await expect.poll(() => output, { timeout: 30_000 }).toMatch(/^ {2}API /m);
    const gone = once(npm, 'exit');
    npm.kill('SIGTERM');
    await gone;
    // The program unlocks the folder when it ends.
    await expect
      .poll(() =>
        access(join(DATA_DIR, 'pid')).then(
          () => 'held',
          () => 'free',
        ),
      )
      .toBe('free');
  });
});
