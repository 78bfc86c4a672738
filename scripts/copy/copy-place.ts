import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { categories } from '../../contracts/events/index.ts';
import type { CopyTarget } from '../../services/audit/copy/copy-log.ts';
import { folderCopy } from '../../services/audit/copy/folder-copy.ts';
import { logCopy } from '../../services/audit/copy/log-copy.ts';
import { newIdentityName } from '../../services/log/identity.ts';
import { type EventLog, startOfLog } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { recordUse } from '../cli/use.ts';

/** Where a log is copied from or to: another log, or a folder. */
export interface CopyPlace extends CopyTarget {
  /** The name of the installation whose log it is; undefined if none is known. */
  installation(): Promise<string | undefined>;
  /** Keeps the name of the installation. */
  name(installation: string): Promise<void>;
  /** How many events are copied from it; undefined if that is not known before. */
  readonly total?: number | undefined;
}

const postgres = /^postgres(ql)?:\/\//;
const eventStore = /^(esdb|kurrentdb)(\+discover)?:\/\//;

/** A place that is not the log of the environment. */
export interface OtherPlace {
  /** A URL of Postgres or EventStoreDB, or a folder. */
  readonly text: string;
  /** What the names of streams in an EventStoreDB begin with. */
  readonly streamPrefix: string;
  /** Of a log: which place it is in the copy. */
  readonly placeOf: (log: EventLog, inEventStore: boolean) => Promise<CopyPlace> | CopyPlace;
  /** Called with a database before its log is opened. */
  readonly prepare?: (databaseUrl: string) => Promise<unknown>;
}

/** Hands `use` another place. @throws what opening and `use` throw */
export async function withPlace<Result>(
  { text, streamPrefix, placeOf, prepare }: OtherPlace,
  logger: Logger,
  use: (place: CopyPlace) => Promise<Result>,
): Promise<Result> {
  const inEventStore = eventStore.test(text);
  if (!inEventStore && !postgres.test(text)) {
    if (/^\w+:\/\//.test(text))
      throw new Error(`${text} is neither a folder nor a URL of Postgres or EventStoreDB`);
    return use(folderPlace(resolve(text)));
  }
  if (!inEventStore) await prepare?.(text);
  const log = await openLog({ eventStoreUrl: inEventStore ? text : undefined, streamPrefix }, text, logger);
  try {
    return await use(await placeOf(log, inEventStore));
  } finally {
    await log.close();
  }
}

/** A log as the place that is copied from: that it is read is recorded in it, behind what is copied. */
export async function sourcePlace(log: EventLog, inEventStore: boolean, command: string): Promise<CopyPlace> {
  const upTo = (await recordUse(log, command))?.before ?? (await log.end(categories));
  // The extent of EventStoreDB is in bytes.
  const total = inEventStore ? undefined : log.extent(startOfLog, upTo);
  return { ...targetPlace(log), ...logCopy(log, upTo), total };
}

/** A log as the place that is copied to. */
export function targetPlace(log: EventLog): CopyPlace {
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
