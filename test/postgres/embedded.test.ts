import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { postgresFolder } from '../../services/installation.ts';
import { findNativeFolder, prepareBinaries } from '../../services/postgres/embedded/binaries.ts';
import {
  type EmbeddedPostgres,
  runningEmbeddedUrl,
  startEmbeddedPostgres,
} from '../../services/postgres/embedded/embedded.ts';
import { temporaryFolder } from '../support/folder.ts';
import { isRunning, query } from '../support/installation.ts';
import { preparedFolder } from '../support/prepared-folder.ts';

async function start(folder: string, settings?: Record<string, string>): Promise<EmbeddedPostgres> {
  const options = { folder, logger: pino({ level: 'silent' }), ...(settings ? { settings } : {}) };
  const server = await startEmbeddedPostgres(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A folder in which a cluster was made. */
const madeFolder = async () => postgresFolder(await preparedFolder());

async function setting(server: EmbeddedPostgres, name: string): Promise<string> {
  const { rows } = await query(server.superuserUrl, `select current_setting('${name}') as value`);
  return rows[0]?.value;
}

describe('the embedded Postgres', () => {
  test('is durable, in UTF-8, the same on every machine, and listens on no port', async () => {
    const server = await start(await temporaryFolder());
    const wanted = { fsync: 'on', server_encoding: 'UTF8', listen_addresses: '', timezone: 'UTC' };
    for (const [name, value] of Object.entries(wanted)) expect(await setting(server, name)).toBe(value);
    const texts = await query(server.url, `select lower('ÄÖ') as lower, 'a' < 'Z' as by_language`);
    expect(texts.rows).toEqual([{ lower: 'äö', by_language: false }]);
  });

  test('accepts only connections with the password, as an owner who is not a superuser', async () => {
    const folder = await temporaryFolder();
    const server = await start(folder);
    const role = await query(
      server.url,
      'select rolsuper, rolcreaterole from pg_roles where rolname = current_user',
    );
    expect(role.rows).toEqual([{ rolsuper: false, rolcreaterole: false }]);
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'socket'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
    const stranger = server.url.replace(/:[0-9a-f]{48}@/, ':wrong@');
    expect(stranger).not.toBe(server.url);
    await expect(query(stranger, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('restarts by itself after a crash, with everything committed', async () => {
    const server = await start(await madeFolder());
    await query(server.url, 'create table kept (number int)');
    for (let number = 1; number <= 3; number++) {
      await query(server.url, `insert into kept values (${number})`);
      const before = server.pid;
      await server.kill();
      await server.ready();
      expect(server.pid).not.toBe(before);
      expect((await query(server.url, 'select * from kept')).rowCount).toBe(number);
    }
  });

  test('loses no data by a crash while a connection writes', async () => {
    const server = await start(await madeFolder());
    await query(server.url, 'create table kept (number bigint)');
    const client = new pg.Client({ connectionString: server.url });
    client.on('error', () => {});
    await client.connect();
    let committed = 0;
    const writing = (async () => {
      for (;;) {
        await client.query('insert into kept values ($1)', [committed + 1]);
        committed++;
      }
    })().catch(() => {});
    while (committed < 100) await new Promise(setImmediate);
    await server.kill();
    await writing;
    await server.ready();
    const { rows } = await query(server.url, 'select count(*)::int, max(number)::int from kept');
    // The last one may have been committed without its answer having come.
    expect([committed, committed + 1]).toContain(rows[0]?.count);
    expect(rows[0]?.max).toBe(rows[0]?.count);
    await client.end();
  });

  test('restarts regularly, with new connections', async () => {
    const server = await start(await madeFolder());
    const before = server.pid;
    await server.restart();
    expect(server.pid).not.toBe(before);
    await query(server.url, 'select 1');
  });

  test('stops for good, and removes its socket', async () => {
    const folder = await madeFolder();
    const server = await start(folder);
    const { pid } = server;
    await Promise.all([server.stop(), server.stop()]);
    expect(isRunning(pid)).toBe(false);
    await expect(stat(join(folder, 'socket'))).rejects.toThrow('ENOENT');
    expect(await runningEmbeddedUrl(folder)).toBeUndefined();
  });

  test('is found by other processes through its folder', async () => {
    const folder = await temporaryFolder();
    expect(await runningEmbeddedUrl(folder)).toBeUndefined();
    const server = await start(folder);
    expect(await runningEmbeddedUrl(folder)).toBe(server.url);
  });

  test.each([
    ['a long path', 'x'.repeat(120)],
    ['spaces, quotes, commas and Chinese', `it's "一", 二`],
  ])('works in a folder with %s, and leaves nothing elsewhere', async (_, name) => {
    const folder = join(await temporaryFolder(), name);
    const server = await start(folder);
    await query(server.url, 'select 1');
    const host = new URL(server.url).searchParams.get('host') ?? '';
    expect(basename(host)).toMatch(/^bubble-im-/);
    expect((await stat(host)).mode & 0o777).toBe(0o700);
    expect(await runningEmbeddedUrl(folder)).toBe(server.url);
    await server.stop();
    await expect(stat(host)).rejects.toThrow('ENOENT');
  });

  test('removes what a kill left of creating its data', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'new-half'));
    await writeFile(join(folder, 'new-half', 'PG_VERSION'), '18');
    await start(folder);
    await expect(lstat(join(folder, 'new-half'))).rejects.toThrow('ENOENT');
  });

  test('starts despite a pid file whose number belongs to another process now', async () => {
    const folder = await madeFolder();
    const first = await start(folder);
    await query(first.url, 'create table kept ()');
    const file = join(folder, 'data', 'postmaster.pid');
    const lines = await readFile(file, 'utf8');
    await first.stop();
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void other.kill('SIGKILL'));
    await once(other, 'spawn');
    await writeFile(file, lines.replace(/^\d+/, String(other.pid)));
    const second = await start(folder);
    await query(second.url, 'select * from kept');
    expect(isRunning(other.pid ?? 0)).toBe(true);
  });

  test('refuses data of another version', async () => {
    const folder = await temporaryFolder();
    await (await start(folder)).stop();
    await writeFile(join(folder, 'data', 'PG_VERSION'), '15\n');
    await expect(start(folder)).rejects.toThrow('was made by Postgres 15, the embedded one is 18');
  });

  test('reports why it cannot start', async () => {
    const settings = { shared_buffers: 'plenty' };
    await expect(start(await temporaryFolder(), settings)).rejects.toThrow(
      /did not come up \(1\).*invalid value for parameter "shared_buffers"/,
    );
  });

  test('runs also if --ignore-scripts skipped the links of its libraries', async () => {
    const installed = join(await temporaryFolder(), 'native');
    await cp(findNativeFolder(), installed, {
      recursive: true,
      filter: async (path) => !path.includes('share') && !(await lstat(path)).isSymbolicLink(),
    });
    await chmod(join(installed, 'bin', 'initdb'), 0o644);
    const version = (program: string) => promisify(execFile)(program, ['--version']);
    await expect(version(join(installed, 'bin', 'postgres'))).rejects.toThrow('shared libraries');
    const { postgres, initdb } = await prepareBinaries(installed);
    expect((await version(postgres)).stdout).toMatch(/^postgres \(PostgreSQL\) 18/);
    expect((await version(initdb)).stdout).toMatch(/^initdb \(PostgreSQL\) 18/);
  });
});
