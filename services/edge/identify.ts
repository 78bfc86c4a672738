import { type LogIdentity, newIdentityName } from '../log/identity.ts';
import type { EventLog } from '../log/log.ts';

/** The database of the read models. */
interface Database {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

interface Row {
  readonly installation: string | null;
  readonly epoch: string;
}

/**
 * The installation and epoch of the read models. At the first start these are the log's or, if that has none, new
 * ones that both keep from then on. Whether log and read models still belong together is checked by the projector.
 * @throws what the database throws, LogFailure
 */
export async function identify(log: EventLog, database: Database): Promise<LogIdentity> {
  const known = await installationOf(database);
  if (known !== undefined) return known;
  const { epoch } = await read(database);
  const identity = (await log.identity()) ?? (await log.found({ installation: newIdentityName(), epoch }));
  await database.query(
    `update followers.checkpoint
        set installation = $1, epoch = case when position = '' then $2 else epoch end
      where name = 'read' and installation is null`,
    [identity.installation, identity.epoch],
  );
  return (await installationOf(database)) ?? identity;
}

/** The installation and epoch of the read models; undefined before a process with the log has started. */
export async function installationOf(database: Database): Promise<LogIdentity | undefined> {
  const { installation, epoch } = await read(database);
  return installation === null ? undefined : { installation, epoch };
}

async function read(database: Database): Promise<Row> {
  const { rows } = await database.query(
    `select installation, epoch from followers.checkpoint where name = 'read'`,
  );
  // The columns are those of the query above.
  const [row] = rows as Row[];
  if (row === undefined) throw new Error('the read models have no checkpoint: the database is not migrated');
  return row;
}
