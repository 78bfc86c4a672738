import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { isRunning, launch, postgresPid, query, start } from '../support/installation.ts';
import { type RunningProgram, startProgram } from '../support/process.ts';
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

  test('gives the answers under way, and stops Postgres last', async () => {
    const folder = await temporaryFolder();
    const { program, address } = await start(folder);
    const answer = fetch(`http://127.0.0.1:${address.port}/slow`, { headers: { connection: 'close' } });
    await program.line(/^a slow request$/);
    program.signal('SIGTERM');
    expect(await (await answer).text()).toBe('/slow');
    expect(await program.ended).toBe(0);
    expect(await postgresPid(folder)).toBeUndefined();
  });

  test('started twice at once on one folder: one runs, the other says so and ends', async () => {
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

  test('killed with -9 it leaves its Postgres running; the next start ends that one and goes on', async () => {
    const folder = await temporaryFolder();
    for (let round = 0; round < 3; round++) {
      const { program, databaseUrl } = await start(folder);
      await query(databaseUrl, keep.replace('app_name', `round ${round}`));
      const server = await postgresPid(folder);
      program.signal('SIGKILL');
      await program.ended;
      expect(server !== undefined && isRunning(server)).toBe(true);

      const next = await start(folder);
      expect(server !== undefined && isRunning(server)).toBe(false);
      expect((await query(next.databaseUrl, kept)).rowCount).toBe(round + 1);
      next.program.signal('SIGTERM');
      expect(await next.program.ended).toBe(0);
    }
  });

  test('killed with -9 where its socket had to lie elsewhere, it leaves nothing there for long', async () => {
    const folder = join(await temporaryFolder(), 'x'.repeat(100));
    const { program, databaseUrl } = await start(folder);
    const elsewhere = new URL(databaseUrl).searchParams.get('host') ?? '';
    expect(elsewhere.startsWith(folder)).toBe(false);
    program.signal('SIGKILL');
    await program.ended;
    await access(elsewhere);
    const next = await start(folder);
    await expect(access(elsewhere)).rejects.toThrow('ENOENT');
    next.program.signal('SIGTERM');
    expect(await next.program.ended).toBe(0);
  });

  test('killed with -9 at any moment of its first start it starts the next time', async () => {
    const folder = await temporaryFolder();
    for (const milliseconds of [150, 300, 450, 600, 750, 900, 1050, 1200]) {
      const program = launch(folder);
      const killer = setTimeout(() => program.signal('SIGKILL'), milliseconds);
      await program.ended;
      clearTimeout(killer);
    }
    const { program, databaseUrl } = await start(folder);
    expect((await query(databaseUrl, kept)).rowCount).toBe(0);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect((await readdir(join(folder, 'postgres'))).toSorted()).toEqual(['data', 'password']);
  });

  test('ended at once by a second signal it takes its Postgres along', async () => {
    const folder = await temporaryFolder();
    const { program, address } = await start(folder);
    const answer = fetch(`http://127.0.0.1:${address.port}/slow`).catch(() => 'cut off');
    await program.line(/^a slow request$/);
    const server = await postgresPid(folder);
    program.signal('SIGTERM');
    while (!program.stderr().includes('ending')) await new Promise(setImmediate);
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(await answer).toBe('cut off');
    await expect.poll(() => server !== undefined && isRunning(server)).toBe(false);
  });

  test('a port that is taken is told, and nothing is left running', async () => {
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

  test('a host that is not here is told', async () => {
    const program = launch(await temporaryFolder(), { HOST: '192.0.2.1' });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain('192.0.2.1 is not an address of this machine: set another HOST');
  });

  test('with DATABASE_URL it keeps its tables there and starts no Postgres', async () => {
    const [folder, database] = [await temporaryFolder(), await createEmptyDatabase()];
    const { program, databaseUrl } = await start(folder, { DATABASE_URL: database.url });
    expect(databaseUrl).toBe(database.url);
    expect((await query(database.url, kept)).rowCount).toBe(0);
    expect((await readdir(folder)).toSorted()).toEqual(['app-secret', 'lock', 'pid']);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    await database.drop();
  });

  test('a DATABASE_URL where nobody answers is told, without its password', async () => {
    const url = 'postgresql://im:secret@127.0.0.1:1/im';
    const program = launch(await temporaryFolder(), { DATABASE_URL: url });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toMatch(
      /^bubble-im: the database of DATABASE_URL cannot be used \(.*ECONNREFUSED/,
    );
    expect(program.stderr()).not.toContain('secret');
  });

  test('migrates by hand, beside it or without it', async () => {
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

  test('is not made by looking into a log that is not there', async () => {
    const folder = join(await temporaryFolder(), 'none');
    const replay = promisify(execFile)(process.execPath, ['scripts/replay.ts'], {
      env: { PATH: process.env.PATH, DATA_DIR: folder },
    });
    await expect(replay).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`there is no log in ${folder}`),
    });
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  test('is shown by a replay that follows, which was begun before the program and did not keep it from starting', async () => {
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

  test('ends in good order where npm, which started it, is told to end', async () => {
    const DATA_DIR = await temporaryFolder();
    const npm = spawn('npm', ['start'], {
      env: { ...process.env, DATA_DIR, PORT: '0', DATABASE_URL: '', EVENTSTORE_URL: '', NATS_URL: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    npm.stdout.setEncoding('utf8');
    let told = '';
    npm.stdout.on('data', (text: string) => {
      told += text;
    });
    await expect.poll(() => told, { timeout: 30_000 }).toMatch(/^ {2}API /m);
    const gone = once(npm, 'exit');
    npm.kill('SIGTERM');
    await gone;
    // Its own end gives the folder back.
    await expect
      .poll(() =>
        access(join(DATA_DIR, 'pid')).then(
          () => 'held',
          () => 'free',
        ),
      )
      .toBe('free');
  });

  describe.runIf(process.getuid?.() === 0)('started by root', () => {
    /** Who the server of a folder runs as, and whether it may pass over permissions. */
    async function statusOf(folder: string) {
      const status = await readFile(`/proc/${await postgresPid(folder)}/status`, 'utf8');
      const capabilities = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1]}`);
      return { uid: Number(/^Uid:\s*(\d+)/m.exec(status)?.[1]), passesPermissions: capabilities !== 0n };
    }
    const end = async ({ program }: { program: RunningProgram }) => {
      program.signal('SIGTERM');
      expect(await program.ended).toBe(0);
    };

    /** A folder that others may pass through, as /srv is. */
    async function openFolder(): Promise<string> {
      const folder = await temporaryFolder();
      await chmod(folder, 0o755);
      return join(folder, 'data');
    }

    test('runs Postgres in a folder of its own, without any right of root', async () => {
      const folder = await openFolder();
      await mkdir(join(folder, 'files'), { recursive: true });
      await chmod(folder, 0o700);
      const started = await start(folder);
      expect(await statusOf(folder)).toEqual({ uid: 65_534, passesPermissions: false });
      expect(await stat(join(folder, 'postgres'))).toMatchObject({ uid: 65_534 });
      const modeOf = async (name: string) => (await stat(join(folder, name))).mode & 0o777;
      expect(await modeOf('postgres')).toBe(0o700);
      expect(await modeOf('.')).toBe(0o701);
      for (const name of ['files', 'app-secret', 'lock', 'pid']) expect((await modeOf(name)) & 0o007).toBe(0);
      expect((await query(started.databaseUrl, kept)).rowCount).toBe(0);
      await end(started);
      await end(await start(folder));
    });

    test('lets it pass over permissions below a folder that only root may enter', async () => {
      const outer = await temporaryFolder();
      await chmod(outer, 0o700);
      const folder = join(outer, 'the data of 泡泡');
      await mkdir(folder);
      const started = await start(folder);
      expect(await statusOf(folder)).toEqual({ uid: 65_534, passesPermissions: true });
      expect((await query(started.databaseUrl, kept)).rowCount).toBe(0);
      await end(started);
      await access(join(folder, 'postgres', 'data', 'PG_VERSION'));
    });

    test('says what to do if another user is to start on what root made', async () => {
      const folder = await openFolder();
      await end(await start(folder));
      await promisify(execFile)('cp', ['-r', folder, `${folder}-copy`]);
      for (const [place, mode] of [
        [folder, 0o701],
        [`${folder}-copy`, 0o777],
      ] as const) {
        await chmod(place, mode);
        const program = [process.execPath, 'test/start/installation-program.ts'];
        const started = promisify(execFile)(
          'setpriv',
          ['--reuid=65533', '--regid=65533', '--clear-groups', '--', ...program],
          { env: { PATH: process.env.PATH, DATA_DIR: place, PORT: '0' } },
        );
        await expect(started).rejects.toMatchObject({
          stderr: expect.stringContaining(`run as root: chown -R 65533 '${place}'`),
        });
      }
    });

    test('says what to do about a copy that lost its owners, and starts once it is done', async () => {
      const folder = await openFolder();
      await end(await start(folder));
      const copy = `${folder}-copy`;
      await promisify(execFile)('cp', ['-r', folder, copy]);
      const refused = launch(copy);
      expect(await refused.ended).toBe(1);
      const told = /: run (chown -R 65534:65534 '.*' && chmod 700 '.*'), and copy with cp -a/;
      expect(refused.stderr()).toMatch(told);
      await promisify(execFile)('sh', ['-c', told.exec(refused.stderr())?.[1] ?? 'false']);
      await end(await start(copy));
    });
  });
});
