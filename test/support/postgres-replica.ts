import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { vi } from 'vitest';
import { z } from 'zod';
import { findNativeFolder, prepareBinaries } from '../../services/postgres/embedded/binaries.ts';
import { openCluster } from '../../services/postgres/embedded/cluster.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { commandAs, serverEnvironment } from '../../services/postgres/embedded/operating-user.ts';
import type { AtEnd } from './at-end.ts';
import { patiently } from './conversation.ts';
import { temporaryFolder } from './folder.ts';
import { freePort } from './free-port.ts';

/** A Postgres and its streaming replica, without which it commits nothing. */
export interface ReplicatedPostgres {
  /** Connects to the primary as the owner of an empty database. */
  readonly url: string;
  readonly replicaPort: number;
  /** SIGKILL to the primary; then the replica becomes the primary. */
  failOver(): Promise<void>;
}

const settings = { fsync: 'off', autovacuum: 'off', max_connections: '100' };

/** Starts both; they are gone at the end. */
export async function startReplicatedPostgres(atEnd: AtEnd): Promise<ReplicatedPostgres> {
  const [port, replicaPort] = [await freePort(), await freePort()];
  const folder = join(await temporaryFolder(atEnd), 'postgres');
  const primary = await startEmbeddedPostgres({
    folder,
    logger: pino({ level: 'silent' }),
    settings: { ...settings, listen_addresses: '127.0.0.1', port: String(port) },
  });
  atEnd(() => primary.stop());
  const copy = join(await temporaryFolder(atEnd), 'postgres');
  await copyRunning(primary.superuserUrl, folder, copy, port);
  await startReplica(copy, replicaPort, atEnd);
  await onServer(primary.superuserUrl, async (client) => {
    await client.query(`alter system set synchronous_standby_names = '*'`);
    await client.query('select pg_reload_conf()');
    const synchronous = `select from pg_stat_replication where sync_state = 'sync'`;
    await vi.waitUntil(async () => (await client.query(synchronous)).rowCount === 1, patiently);
  });
  return {
    url: overTcp(primary.url, port),
    replicaPort,
    async failOver() {
      await primary.kill();
      // It would be started again.
      await primary.stop();
      await onServer(overTcp(primary.superuserUrl, replicaPort), (client) =>
        client.query('select pg_promote()'),
      );
    },
  };
}

/** A copy of the data of a running server, from which a replica follows it. */
async function copyRunning(url: string, from: string, to: string, port: number): Promise<void> {
  await onServer(url, async (client) => {
    await client.query(`select pg_backup_start('replica', true)`);
    await mkdir(to, { recursive: true });
    await promisify(execFile)('cp', ['-a', `${from}/.`, to]);
    const { rows } = await client.query('select labelfile from pg_backup_stop(false)');
    const { labelfile } = z.object({ labelfile: z.string() }).parse(rows[0]);
    const data = join(to, 'data');
    // As root the server runs as another user, who owns the data.
    const { uid, gid } = await stat(data);
    for (const [name, text] of Object.entries({ backup_label: labelfile, 'standby.signal': '' })) {
      await writeFile(join(data, name), text);
      await chown(join(data, name), uid, gid);
    }
    const { password, username } = new URL(url);
    const primary = `host=127.0.0.1 port=${port} user=${username} password=${password} application_name=replica`;
    await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary}'\n`);
    await rm(join(data, 'postmaster.pid'));
  });
}

/** Starts a server that follows another one; it is ready when it can be asked. */
async function startReplica(folder: string, port: number, atEnd: AtEnd): Promise<void> {
  const binaries = await prepareBinaries(findNativeFolder());
  const { dataFolder, password, user } = await openCluster(folder, binaries, false);
  const all = { ...settings, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = commandAs(user, binaries.postgres, ['-D', dataFolder, ...options]);
  const server = spawn(command.file, command.parameters, {
    env: serverEnvironment,
    cwd: '/',
    stdio: 'ignore',
  });
  atEnd(async () => {
    if (server.exitCode !== null) return;
    server.kill('SIGQUIT');
    await once(server, 'exit');
  });
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
  const answers = () =>
    onServer(url, (client) => client.query('select 1')).then(
      () => true,
      () => false,
    );
  await vi.waitUntil(answers, patiently);
}

/** The URL of a server's TCP port instead of its socket. */
function overTcp(url: string, port: number): string {
  const changed = new URL(url);
  changed.searchParams.delete('host');
  changed.hostname = '127.0.0.1';
  changed.port = String(port);
  return changed.href;
}

async function onServer<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
