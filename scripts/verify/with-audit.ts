import type pg from 'pg';
import { categories } from '../../contracts/events/index.ts';
import { findAuditVerifier } from '../../services/audit/tree/audit-key.ts';
import { type NoteVerifier, readVerifierKey } from '../../services/audit/tree/note.ts';
import { TreeStore } from '../../services/audit/tree/tree-store.ts';
import { type Environment, readEnvironment } from '../../services/environment.ts';
import type { EventLog, Position } from '../../services/log/log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { withAskedLog } from '../cli/asked-log.ts';
import { openCommandLogger } from '../cli/logger.ts';
import type { Unnamed } from '../cli/own-log.ts';
import { withExistingDatabase } from '../with-database.ts';

/** What the commands of verify work with. */
export interface Audit {
  readonly environment: Environment;
  /** Of the database with the tree. */
  readonly url: string;
  readonly log: EventLog;
  readonly pool: pg.Pool;
  readonly store: TreeStore;
  /** The end of the log before this use of it was recorded. */
  readonly before: Position;
}

/**
 * Hands `use` the log and the tree over it, while the system runs or at rest.
 * @param unnamed `taken` by who says itself that the log lacks its name
 * @throws StrangeLog if the log is not that of the tree's installation; Error, in words for who runs the script, and what `use` throws
 */
export async function withAudit(
  use: (audit: Audit) => Promise<void>,
  unnamed: Unnamed = 'with events',
): Promise<void> {
  const environment = readEnvironment();
  const logger = await openCommandLogger(environment);
  await withExistingDatabase(environment, logger, async (url) => {
    const pool = createPool(url, logger);
    try {
      await mustHaveTree(pool);
      await withAskedLog(
        { command: 'verify', source: environment, databaseUrl: url, logger, unnamed },
        async ({ log, use: recorded }) => {
          const before = recorded?.before ?? (await log.end(categories));
          await use({ environment, url, log, pool, store: new TreeStore(pool), before });
        },
      );
    } finally {
      await pool.end();
    }
  });
}

async function mustHaveTree(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ there: boolean }>(
    `select to_regclass('audit.digests') is not null as there`,
  );
  if (!rows[0]?.there) throw new Error('the tables are of an older version: run npm run migrate');
}

/** Who signs the heads: as given, else by the key of the installation. @throws Error if neither is there */
export async function verifierFrom(
  given: string | undefined,
  environment: Environment,
): Promise<NoteVerifier> {
  const verifier = await knownVerifier(given, environment);
  if (verifier) return verifier;
  throw new Error(
    `there is no key in ${environment.dataFolder}: it is made when bubble-im starts; give --verifier, AUDIT_KEY or DATA_DIR`,
  );
}

/** The same for who can do without: undefined if no key is given, and the installation has none. */
export async function knownVerifier(
  given: string | undefined,
  environment: Environment,
): Promise<NoteVerifier | undefined> {
  return given === undefined ? findAuditVerifier(environment) : readVerifierKey(given);
}
