import type { Client } from 'pg';
import { pendingMigrations } from '../../projections/migrate.ts';
import { mustNotBeHalfRestored } from '../../services/backup/restore-mark.ts';
import { errorCode } from '../../services/error-code.ts';
import { reasonOf } from '../../services/error-reason.ts';
import { createClient, openClient, type Purpose } from '../../services/postgres/connect.ts';
import { mustKeepSessions } from '../../services/postgres/session-check.ts';
import { examineCertificate } from './certificate.ts';
import { compareClock } from './clock.ts';
import { type Finding, findings } from './finding.ts';
import { medianMs, shownMs } from './latency.ts';

const { ok, warning, fault, refused } = findings('database');
const purpose: Purpose = { name: 'bubble-im doctor', statementTimeoutMs: 5_000 };

/** The major version that the tests run on. */
const triedMajor = 18;
/** From here on every message waits visibly for the database. */
const maxLatencyMs = 20;
/** What one process uses at most (docs/operations.md, Several processes). */
const connectionsPerProcess = 25;

/** What is wrong by SQLSTATE or by the code of an error of Node. */
const remedies: Readonly<Record<string, string>> = {
  '28P01': 'correct the user or the password in DATABASE_URL',
  '28000': 'correct the user in DATABASE_URL, or let it in (pg_hba.conf)',
  '3D000': 'create the database: createdb, as the owner that DATABASE_URL names',
  '53300': 'raise max_connections of the server',
  ECONNREFUSED: 'start the server, or correct the host and the port in DATABASE_URL',
  ENOTFOUND: 'correct the host in DATABASE_URL',
  CERT_HAS_EXPIRED: 'renew the certificate of the server',
};

/** Whether the database answers, is as the program needs it, and has the tables of this version. */
export async function examineDatabase(url: string, embedded: boolean): Promise<Finding[]> {
  let connecting: Client;
  try {
    connecting = createClient(url, purpose);
  } catch (error) {
    return [
      fault(`DATABASE_URL cannot be used: ${reasonOf(error)}`, 'correct it, or the file that it names'),
    ];
  }
  const { host, port, ssl } = connecting;
  const name = embedded ? 'the embedded Postgres' : `Postgres at ${host}:${port}`;
  const found: Finding[] = [];
  if (ssl) {
    const server = { name, host, port, preamble: 'postgres' } as const;
    found.push(await examineCertificate(server));
  }
  let client: Client;
  try {
    client = await openClient(url, purpose);
  } catch (error) {
    const remedy = remedies[errorCode(error) ?? ''] ?? 'look at the server and at DATABASE_URL';
    return [...found, fault(`${name} cannot be used: ${reasonOf(error)}`, remedy)];
  }
  try {
    return [...found, ...(await examineServer(client, name)), ...(await examineContent(client, url, name))];
  } finally {
    await client.end();
  }
}

interface Server {
  readonly version: string;
  readonly standby: boolean;
  readonly fsync: string;
  readonly may_create: boolean;
  readonly role: string;
  readonly database: string;
  readonly used: number;
  readonly max: number;
}

async function examineServer(client: Client, name: string): Promise<Finding[]> {
  const { rows } = await client.query<Server>(
    `select current_setting('server_version') as version, pg_is_in_recovery() as standby,
       current_setting('fsync') as fsync, current_setting('max_connections')::int as max,
       has_database_privilege(current_database(), 'create')
         and has_schema_privilege('public', 'create') as may_create,
       quote_ident(current_user) as role, quote_ident(current_database()) as database,
       (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used`,
  );
  const [server] = rows;
  if (server === undefined) return [];
  const { version, standby, fsync, may_create: mayCreate, role, database, used, max } = server;
  const latency = await medianMs(() => client.query('select 1'));
  const shown = `${name}, version ${version}, answers in ${shownMs(latency)}`;
  const found = [
    latency > maxLatencyMs
      ? warning(shown, 'put program and database near each other: each message waits for a few answers')
      : ok(shown),
  ];
  if (Number.parseInt(version, 10) !== triedMajor) {
    found.push(warning(`it is Postgres ${version}`, `use ${triedMajor}, with which bubble-im is tried`));
  }
  if (standby)
    found.push(fault('it is a standby, which takes no writes', 'name the primary in DATABASE_URL'));
  if (fsync === 'off') {
    found.push(fault('its fsync is off: a crash loses what was acknowledged', 'set fsync = on'));
  }
  if (!mayCreate) {
    found.push(
      fault(
        `the role ${role} may not create schemas, or tables in the schema public`,
        `make it the owner: alter database ${database} owner to ${role}`,
      ),
    );
  }
  if (max - used < connectionsPerProcess) {
    const remedy = `raise max_connections: a process takes up to ${connectionsPerProcess}`;
    found.push(warning(`${used} of its ${max} connections are in use`, remedy));
  }
  return found;
}

async function examineContent(client: Client, url: string, name: string): Promise<Finding[]> {
  const began = performance.now();
  const { rows } = await client.query<{ time: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as time',
  );
  const tripMs = performance.now() - began;
  const found = [compareClock(name, Date.now() - tripMs / 2 - (rows[0]?.time ?? 0), tripMs / 2)];
  const checks = [() => mustKeepSessions(url), () => mustNotBeHalfRestored(client)];
  for (const check of checks) await check().catch((error: unknown) => found.push(refused(error)));
  const migrations = findings('migrations');
  try {
    const pending = await pendingMigrations(client);
    found.push(
      pending.length === 0
        ? migrations.ok('all are applied')
        : migrations.warning(
            `${pending.length} are to come, from ${pending[0]} on`,
            'the next start applies them, or npm run migrate',
          ),
    );
  } catch (error) {
    found.push(migrations.refused(error));
  }
  return found;
}
