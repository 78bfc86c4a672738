import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { history } from '../../scripts/seed/history.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import type { EmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { afterAllTests } from '../support/at-end.ts';
import {
  type Certificate,
  makeCertificate,
  makeExpiredCertificate,
  opensslIsInstalled,
} from '../support/certificates.ts';
import { createDatabase, createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { query } from '../support/installation.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startPostgresOverTls } from '../support/postgres-over-tls.ts';
import { startS3 } from '../support/s3.ts';
import { about, examined, faultsOf } from './doctor-harness.ts';

const keys = { APP_KEY: 'key-1', APP_SECRET: 'secret-of-32-letters-0123456789' };

describe('of servers the doctor', () => {
  test('says which of them are down, each with what to do', async () => {
    const down = await freePort();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'id').stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    onTestFinished(() => void vi.unstubAllEnvs());
    const found = await examined({
      ...keys,
      DATABASE_URL: `postgres://bubble:geheim@127.0.0.1:${down}/bubble`,
      EVENTSTORE_URL: `esdb://127.0.0.1:${down}?tls=false`,
      NATS_URL: `nats://user:geheim@127.0.0.1:${down}`,
      S3_BUCKET: 'uploads',
      S3_ENDPOINT: `http://127.0.0.1:${down}`,
      AUDIT_WITNESS: `http://127.0.0.1:${down}/`,
      AUDIT_WITNESS_KEY: 'witness.example+01234567+AAAA',
    });
    const faults = faultsOf(found);
    expect(faults).toEqual([
      expect.stringMatching(/^database: Postgres at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/),
      expect.stringMatching(/^log: EventStoreDB at 127\.0\.0\.1:\d+ does not answer: .*ECONNREFUSED/),
      expect.stringMatching(/^log: /),
      expect.stringMatching(/^bus: NATS at 127\.0\.0\.1:\d+: does not answer: .*CONNECTION_REFUSED/),
      expect.stringMatching(/^uploads: the bucket uploads cannot be reached/),
    ]);
    expect(about('witness', found)).toEqual([expect.stringMatching(/^warning: .*cannot be reached/)]);
    expect(JSON.stringify(found)).not.toContain('geheim');
  });

  test('reads a bucket that answers', async () => {
    const { bucket } = await startS3(onTestFinished);
    const found = await examined({ S3_BUCKET: bucket.name, S3_ENDPOINT: bucket.endpoint ?? '' });
    expect(about('uploads', found)).toEqual([expect.stringMatching(/^ok: the bucket uploads answers in/)]);
  });

  test('knows that another program has the port', async () => {
    const other = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    const found = await examined({ PORT: port, METRICS_PORT: port });
    expect(about('port', found)).toEqual([
      expect.stringMatching(/^fault: port \d+ on 127\.0\.0\.1 is used by another program: .* another PORT/),
      expect.stringMatching(
        /^fault: port \d+ on 127\.0\.0\.1 is used by another program: .* another METRICS_PORT/,
      ),
    ]);
    expect(about('port', await examined({ HOST: '192.0.2.1' }))).toEqual([
      expect.stringContaining('fault: 192.0.2.1 is not an address of this machine'),
    ]);
  });
});

test.skipIf(!natsServerIsInstalled)(
  'of a NATS without TLS that NATS_URL asks for, the doctor says so (needs nats-server)',
  async () => {
    const nats = await natsServer();
    await nats.start();
    onTestFinished(() => nats.kill());
    const found = await examined({ NATS_URL: nats.url.replace('nats:', 'tls:') });
    expect(faultsOf(found)).toEqual([
      expect.stringMatching(/^bus: NATS at .*: NATS does not offer tls: .* tls:\/\/ in NATS_URL is wrong$/),
      expect.stringMatching(/^certificate: that of NATS at .* cannot be read: it does not speak TLS$/),
    ]);
  },
);

describe('of a database the doctor', () => {
  const databaseOf = async (make: typeof createDatabase) => {
    const database = await make();
    onTestFinished(() => database.drop());
    return database.url;
  };
  const usable = (url: string) => ({ ...keys, DATABASE_URL: url });

  test('says which migrations are to come, and changes nothing', async () => {
    const url = await databaseOf(createEmptyDatabase);
    const found = await examined(usable(url));
    expect(about('migrations', found)).toEqual([
      expect.stringMatching(/^warning: \d+ are to come, from 0001-log on$/),
    ]);
    expect(about('log', found)).toContain('ok: no program has worked on it yet');
    const { rows } = await query(url, `select to_regclass('kysely_migration') as made`);
    expect(rows).toEqual([{ made: null }]);
  });

  test('names a role that may not create what a start creates, with the statement that mends it', async () => {
    const { url, drop } = await createEmptyDatabase();
    const role = `weak_${randomBytes(6).toString('hex')}`;
    onTestFinished(async () => {
      await query(url, `drop owned by ${role} cascade; drop role ${role}`);
      await drop();
    });
    await query(url, `create role ${role} login password 'geheim'`);
    const { username } = new URL(url);
    const weak = new URL(url);
    Object.assign(weak, { username: role, password: 'geheim' });
    const refused = (await examined(usable(weak.href))).filter(({ found }) => found.includes(role));
    const statement = /alter database .* owner to \w+$/;
    expect(refused).toMatchObject([{ state: 'fault', remedy: expect.stringMatching(statement) }]);
    await query(url, statement.exec(refused[0]?.remedy ?? '')?.[0] ?? '');
    expect(about('database', await examined(usable(weak.href))).join()).not.toContain(role);
    await query(url, `reassign owned by ${role} to ${username}`);
  });

  test('names a file of DATABASE_URL that does not exist, and examines the rest', async () => {
    const url = 'postgres://im@127.0.0.1/im?sslmode=verify-full&sslrootcert=/no/such.pem';
    const found = await examined(usable(url));
    expect(faultsOf(found)).toEqual([
      expect.stringMatching(/^database: DATABASE_URL cannot be used: ENOENT/),
    ]);
    expect(about('disk', found)).toHaveLength(1);
  });

  test('says that it is of a newer version, or half restored', async () => {
    const url = await databaseOf(createDatabase);
    await query(url, `insert into kysely_migration values ('9999-later', 'now', '9999-later')`);
    await query(url, 'create schema restore');
    await query(url, 'create table restore.state (backup text, loaded boolean)');
    await query(url, `insert into restore.state values ('abc', false)`);
    const faults = faultsOf(await examined(usable(url)));
    expect(faults).toContainEqual(expect.stringContaining('migrations: the database is of a newer version'));
    expect(faults).toContainEqual(expect.stringContaining('database: a restore of a backup into it'));
  });

  test('says that the log and the read models are of two installations, or that the log went back', async () => {
    const url = await databaseOf(createDatabase);
    await query(url, `insert into log.identity (installation, epoch) values ('one', 'first')`);
    const mark = (installation: string, position: string) =>
      query(
        url,
        `update followers.checkpoint set installation = '${installation}', epoch = 'first',
           position = '${position}', event_id = gen_random_uuid() where name = 'read'`,
      );
    await mark('two', '');
    expect(faultsOf(await examined(usable(url)))).toContainEqual(
      expect.stringContaining('log: the log belongs to the installation one, and the read models to two'),
    );
    await mark('one', '0000000000000042');
    expect(faultsOf(await examined(usable(url)))).toContainEqual(
      expect.stringContaining('log: it lacks events that the read models show'),
    );
  });

  test('says that read models lag behind a log that nobody projects, and before which event the projector stopped', async () => {
    const url = await databaseOf(createDatabase);
    const log = await openPostgresLog({ connectionString: url });
    await log.found({ installation: 'one', epoch: 'first' });
    await appendInOrder(log, history({ events: 50, seed: 'lag' }), () => undefined);
    await log.close();
    await query(
      url,
      `update followers.checkpoint set installation = 'one', epoch = 'first' where name = 'read'`,
    );
    const found = await examined(usable(url));
    expect(faultsOf(found).filter((text) => !text.includes('fsync'))).toEqual([]);
    expect(about('lag', found)).toEqual([
      expect.stringMatching(/^warning: the read models lack 50 events of the log, /),
    ]);
    await query(
      url,
      `update followers.checkpoint set fault = 'an event cannot be applied', fault_position = '0000000000000007'
        where name = 'read'`,
    );
    expect(await examined(usable(url))).toContainEqual({
      ...{ about: 'projector', state: 'fault' },
      found: 'the read models do not follow the log: an event cannot be applied',
      remedy: expect.stringContaining('npm run skip -- 0000000000000007 --why'),
    });
  });
});

describe.skipIf(!opensslIsInstalled || !natsServerIsInstalled)(
  'over TLS the doctor (needs openssl and nats-server)',
  () => {
    const atEnd = afterAllTests();
    let folder: string;
    let valid: Certificate;
    let expired: Certificate;
    let postgres: EmbeddedPostgres;
    let port: number;
    const databaseUrl = (password: string) =>
      `postgresql://bubble_im:${password}@localhost:${port}/bubble_im?sslmode=verify-full&sslrootcert=${encodeURIComponent(expired.certificate)}`;

    beforeAll(async () => {
      folder = await temporaryFolder(atEnd);
      valid = await makeCertificate(folder, 'valid');
      expired = await makeExpiredCertificate(folder, 'expired');
      ({ postgres, port } = await startPostgresOverTls(folder, expired, atEnd));
    });

    test('names a certificate of Postgres that has expired', async () => {
      const { password } = new URL(postgres.url);
      const faults = faultsOf(await examined({ ...keys, DATABASE_URL: databaseUrl(password) }));
      expect(faults).toEqual([
        expect.stringMatching(/^certificate: that of Postgres at localhost:\d+ expired on 2020-01-02$/),
        expect.stringMatching(/^database: .* cannot be used: certificate has expired$/),
      ]);
    });

    test('names a wrong password, without it, and a server that loses data in a crash', async () => {
      const wrong = `postgresql://bubble_im:wrong-one@127.0.0.1:${port}/bubble_im?sslmode=disable`;
      const found = await examined({ ...keys, DATABASE_URL: wrong });
      expect(faultsOf(found)).toEqual([expect.stringContaining('password authentication failed')]);
      expect(found.find(({ state }) => state === 'fault')?.remedy).toContain('the password in DATABASE_URL');
      expect(JSON.stringify(found)).not.toContain('wrong-one');
      const { password } = new URL(postgres.url);
      const right = wrong.replace('wrong-one', password);
      expect(faultsOf(await examined({ ...keys, DATABASE_URL: right }))).toEqual([
        'database: its fsync is off: a crash loses what was acknowledged',
      ]);
    });

    test('names a certificate of NATS that expires soon and is not trusted', async () => {
      const nats = await natsServer('--tls', '--tlscert', valid.certificate, '--tlskey', valid.key);
      await nats.start();
      onTestFinished(() => nats.kill());
      const url = nats.url.replace('nats://127.0.0.1', 'tls://localhost');
      const found = await examined({ NATS_URL: url });
      expect(about('bus', found)).toEqual([
        expect.stringContaining('the certificate of NATS is not trusted'),
      ]);
      expect(about('certificate', found)).toEqual([
        expect.stringMatching(/^warning: that of NATS at localhost:\d+ is valid until .*, [01] days$/),
      ]);
    });
  },
);

const eventStoreUrl = process.env.EVENTSTORE_URL ?? '';
test.skipIf(eventStoreUrl === '')(
  'of an EventStoreDB the doctor says version, clock and latency (needs EVENTSTORE_URL)',
  async () => {
    const found = await examined({ EVENTSTORE_URL: eventStoreUrl });
    expect(about('log', found)).toEqual([
      expect.stringMatching(/^ok: EventStoreDB at .*, version \d+\./),
      expect.stringMatching(/^ok: its end is read in/),
    ]);
    expect(about('clock', found)).toEqual([expect.stringMatching(/^ok: the one of EventStoreDB/)]);
  },
);
