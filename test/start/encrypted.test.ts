import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { afterAllTests } from '../support/at-end.ts';
import { type Certificate, makeCertificate, opensslIsInstalled } from '../support/certificates.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startPostgresOverTls } from '../support/postgres-over-tls.ts';
import { startProgram } from '../support/process.ts';
import { startStandalone } from '../support/standalone.ts';

const needs = opensslIsInstalled && natsServerIsInstalled;

describe.skipIf(!needs)('over TLS (needs openssl and nats-server)', () => {
  const atEnd = afterAllTests();
  let ours: Certificate;
  let strange: Certificate;
  let postgres: EmbeddedPostgres;
  let nats: NatsServer;
  let eventStore: EventStoreDBDouble;
  let port: number;

  /** The database over TCP, whose certificate must be the given one's and for its host. */
  const databaseUrl = (authority: Certificate) => {
    const { username, password, pathname } = new URL(postgres.url);
    const parameters = `sslmode=verify-full&sslrootcert=${encodeURIComponent(authority.certificate)}`;
    return `postgresql://${username}:${password}@localhost:${port}${pathname}?${parameters}`;
  };
  const natsUrl = () => nats.url.replace('nats://127.0.0.1', 'tls://localhost');
  const eventStoreUrl = ({ certificate }: Certificate) =>
    `esdb://localhost:${eventStore.port}?tls=true&tlsCaFile=${certificate}`;

  beforeAll(async () => {
    const folder = await temporaryFolder(atEnd);
    ours = await makeCertificate(folder, 'ours');
    strange = await makeCertificate(folder, 'strange');
    ({ postgres, port } = await startPostgresOverTls(folder, ours, atEnd));
    nats = await natsServer('--tls', '--tlscert', ours.certificate, '--tlskey', ours.key);
    await nats.start();
    atEnd(() => nats.kill());
    eventStore = new EventStoreDBDouble(ours);
    await eventStore.start();
    atEnd(() => eventStore.kill());
  });

  it('the program keeps its data and its bus on servers whose certificates it verifies', async () => {
    const environment = {
      DATABASE_URL: databaseUrl(ours),
      NATS_URL: natsUrl(),
      NODE_EXTRA_CA_CERTS: ours.certificate,
    };
    const bubble = await startStandalone(await temporaryFolder(), environment);
    const account = { username: 'tom', nickname: '猫猫', password: 'secret-1' };
    expect(await bubble.call('/api/user/add', 'server', account)).toMatchObject({ code: 0 });
    expect(await (await fetch(`${bubble.url}/ready`)).json()).toMatchObject({ ready: true });

    const client = new pg.Client({ connectionString: postgres.superuserUrl });
    await client.connect();
    const { rows } = await client.query<{ encrypted: boolean; count: string }>(
      `select ssl as encrypted, count(*) from pg_stat_ssl join pg_stat_activity using (pid)
       where datname = 'bubble_im' group by ssl`,
    );
    await client.end();
    // The log, its listener, the projector's two, and the pool's.
    expect(rows).toEqual([{ encrypted: true, count: expect.stringMatching(/^([5-9]|\d\d)$/) }]);
  });

  it('the program keeps its log in an EventStoreDB whose certificate it verifies', async () => {
    const environment = { EVENTSTORE_URL: eventStoreUrl(ours) };
    const bubble = await startStandalone(await temporaryFolder(), environment);
    const account = { username: 'tom', nickname: '猫猫', password: 'secret-1' };
    expect(await bubble.call('/api/user/add', 'server', account)).toMatchObject({ code: 0 });
    expect(eventStore.store.records.map(({ stream }) => stream)).toContain('user-1');
  });

  it.each([
    ['the database', () => ({ DATABASE_URL: databaseUrl(strange) })],
    ['NATS', () => ({ NATS_URL: natsUrl(), NODE_EXTRA_CA_CERTS: strange.certificate })],
    ['EventStoreDB', () => ({ EVENTSTORE_URL: eventStoreUrl(strange) })],
  ])('ends the start with one line if the certificate of %s is not trusted', async (_, environment) => {
    const program = startProgram('services/standalone.ts', [], {
      ...{ DATA_DIR: await temporaryFolder(), PORT: '0', LOG_LEVEL: 'warn' },
      ...environment(),
    });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toMatch(/certificate/);
    expect(program.stderr()).not.toMatch(new URL(postgres.url).password);
  });
});
