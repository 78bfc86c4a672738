import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { mustKeepSessions } from '../../services/postgres/session-check.ts';
import { event, streamOf } from '../log/specimens.ts';
import { silent } from '../support/accounts.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { isInstalled } from '../support/installed.ts';
import { startDatabaseProxy } from '../support/proxy.ts';

/** A database behind PgBouncer; answers how to connect through it. */
async function pooled(mode: 'session' | 'transaction'): Promise<string> {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.drop());
  // PgBouncer gives up root, and could not enter the private folder of a unix socket.
  const reachable = new URL((await startDatabaseProxy(database.url)).url);
  const port = await freePort();
  const file = join(await temporaryFolder(), 'pgbouncer.ini');
  const { username, password, pathname } = reachable;
  await writeFile(
    file,
    `[databases]
* = host=127.0.0.1 port=${reachable.port} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
${process.getuid?.() === 0 ? 'user = nobody' : ''}
`,
  );
  const bouncer = spawn('pgbouncer', [file], { stdio: 'ignore' });
  onTestFinished(() => end(bouncer));
  const url = `postgresql://${username}:${password}@127.0.0.1:${port}${pathname}`;
  await vi.waitUntil(
    () =>
      openClient(url, { name: 'test', statementTimeoutMs: 1_000 }).then(
        (client) => client.end().then(() => true),
        () => false,
      ),
    { timeout: 10_000 },
  );
  return url;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe.skipIf(!isInstalled('pgbouncer'))('behind PgBouncer (needs pgbouncer)', () => {
  test('all connections work when pooled by session, with their timeouts', async () => {
    const url = await pooled('session');
    await mustKeepSessions(url);
    expect((await migrate(url)).length).toBeGreaterThan(0);
    const pool = createPool(url, silent);
    const { rows } = await pool.query(
      `select current_setting('statement_timeout') as statement, current_setting('jit') as jit`,
    );
    expect(rows).toEqual([{ statement: '5s', jit: 'off' }]);
    const log = await openPostgresLog({ connectionString: url });
    expect(await log.append(streamOf('pooled'), 'none', [event()])).toMatchObject({ outcome: 'appended' });
    await log.close();
    await pool.end();
  });

  test('a pool by transaction is refused', async () => {
    await expect(mustKeepSessions(await pooled('transaction'))).rejects.toThrow('keeps no sessions');
  });
});
