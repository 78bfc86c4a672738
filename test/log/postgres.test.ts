import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../projections/migrate.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { createDatabase } from '../support/database.ts';
import { describeEventLog } from './contract.ts';
import { events, streamOf } from './specimens.ts';

describeEventLog('Postgres', {
  async make() {
    const database = await createDatabase();
    return {
      open: () => openPostgresLog({ connectionString: database.url }),
      remove: () => database.drop(),
    };
  },

  async makeMortal() {
    const folder = await mkdtemp(join(tmpdir(), 'bubble-im-test-'));
    const postgres = await startEmbeddedPostgres({
      folder,
      logger: pino({ level: 'silent' }),
      // The log must be durable on a server that is not by default: what it writes lazily, the kill takes.
      settings: { fsync: 'off', synchronous_commit: 'off', wal_writer_delay: '10s' },
    });
    await migrate(postgres.url);
    // A stop in good order writes the tables down.
    await postgres.restart();
    return {
      open: () => openPostgresLog({ connectionString: postgres.url }),
      kill: () => postgres.kill(),
      ready: () => postgres.ready(),
      async remove() {
        await postgres.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

it('the event log in Postgres decides what was called at once in the order of the calls', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const log = await openPostgresLog({ connectionString: database.url });
  onTestFinished(() => log.close());
  await log.append(streamOf('full'), 'none', events(2));
  const answers = await Promise.all([
    log.append(streamOf('a'), 'none', events(1)),
    log.append(streamOf('full'), 'none', events(1)),
    log.append(streamOf('b'), 4, events(1)),
    log.append(streamOf('c'), 'any', events(2)),
    log.append(streamOf('full'), 1, events(1)),
    log.append(streamOf('c'), 'any', events(1)),
    log.append(streamOf('d'), 'any', events(1)),
    log.append(streamOf('d'), 0, events(1)),
    log.append(streamOf('d'), 0, events(1)),
  ]);
  expect(answers).toMatchObject([
    { outcome: 'appended', revision: 0 },
    { outcome: 'conflict', actual: 1 },
    { outcome: 'conflict', actual: 'none' },
    { outcome: 'appended', revision: 1 },
    { outcome: 'appended', revision: 2 },
    { outcome: 'appended', revision: 2 },
    { outcome: 'appended', revision: 0 },
    { outcome: 'appended', revision: 1 },
    { outcome: 'conflict', actual: 1 },
  ]);
});
