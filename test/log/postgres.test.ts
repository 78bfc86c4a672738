import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { migrate } from '../../projections/migrate.ts';
import { openPostgresLog } from '../../services/log/postgres.ts';
import { startEmbeddedPostgres } from '../../services/postgres/embedded.ts';
import { createDatabase } from '../support/database.ts';
import { describeEventLog } from './contract.ts';

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
