import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { migrate } from '../../projections/migrate.ts';
import type { CopyTarget } from '../../services/audit/copy/copy-log.ts';
import { folderCopy } from '../../services/audit/copy/folder-copy.ts';
import { logCopy } from '../../services/audit/copy/log-copy.ts';
import { newIdentityName } from '../../services/log/identity.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';

/** Where a log is copied from or to: another log, or a folder. */
export interface CopyPlace extends CopyTarget {
  /** The name of the installation whose log it is; undefined if none is known. */
  installation(): Promise<string | undefined>;
  /** Keeps the name of the installation. */
  name(installation: string): Promise<void>;
}

const postgres = /^postgres(ql)?:\/\//;
const eventStore = /^(esdb|kurrentdb)(\+discover)?:\/\//;

/**
 * Hands `use` the place that a text names: a URL of Postgres or EventStoreDB, or a folder.
 * @param streamPrefix what the names of streams in an EventStoreDB begin with
 * @throws what opening and `use` throw
 */
export async function withPlace<Result>(
  text: string,
  streamPrefix: string,
  logger: Logger,
  use: (place: CopyPlace) => Promise<Result>,
): Promise<Result> {
  const inEventStore = eventStore.test(text);
  if (!inEventStore && !postgres.test(text)) {
    if (/^\w+:\/\//.test(text))
      throw new Error(`${text} is neither a folder nor a URL of Postgres or EventStoreDB`);
    return use(folderPlace(resolve(text)));
  }
  if (!inEventStore) await migrate(text);
  const log = await openLog({ eventStoreUrl: inEventStore ? text : undefined, streamPrefix }, text, logger);
  try {
    return await use(logPlace(log));
  } finally {
    await log.close();
  }
}

/** A log as a place. */
export function logPlace(log: EventLog): CopyPlace {
  return {
    ...logCopy(log),
    installation: async () => (await log.identity())?.installation,
    // Another epoch: positions of the log that was copied mean nothing in this one.
    name: async (installation) => void (await log.found({ installation, epoch: newIdentityName() })),
  };
}

/** The file of an exported folder with the name of the installation. */
const nameFile = 'installation';

function folderPlace(folder: string): CopyPlace {
  return {
    ...folderCopy(folder),
    installation: async () => {
      const text = await readFile(join(folder, nameFile), 'utf8').catch(() => '');
      return text.trim() || undefined;
    },
    name: (installation) => writeFile(join(folder, nameFile), `${installation}\n`),
  };
}
