import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { categories } from '../../contracts/events/index.ts';
import { FirstEvents } from '../../services/audit/copy/first-events.ts';
import { folderCopy } from '../../services/audit/copy/folder-copy.ts';
import { logCopy } from '../../services/audit/copy/log-copy.ts';
import { UnreadEvents } from '../../services/audit/tree/unread-events.ts';
import { whileWriting } from '../../services/file-failure.ts';
import { startOfLog } from '../../services/log/log.ts';
import type { LogPlace } from '../../services/log/open.ts';
import { withAskedLog } from '../cli/asked-log.ts';
import { warnOfMisplacedEvents } from '../cli/misplaced-events.ts';
import { openOwnLog } from '../cli/own-log.ts';
import { sayUnread } from '../cli/unread-events.ts';
import { sayLeftOut } from './left-out.ts';
import { type CopyPlace, placeOf } from './log-place.ts';
import { PostgresTarget } from './postgres-target.ts';

const postgres = /^postgres(ql)?:\/\//;
const eventStore = /^(esdb|kurrentdb)(\+discover)?:\/\//;

/** A place as a command names it. */
export interface NamedPlace {
  /** A URL of Postgres or EventStoreDB, or a folder. */
  readonly text: string;
  /** What the names of streams in an EventStoreDB begin with. */
  readonly streamPrefix: string;
}

/** Where the log of a named place lies; undefined if it is a folder. @throws Error for what is neither */
function logPlaceOf(named: NamedPlace, logger: Logger): LogPlace | undefined {
  if (isFolder(named)) return undefined;
  const { text, streamPrefix } = named;
  if (eventStore.test(text))
    return { source: { eventStoreUrl: text, streamPrefix }, databaseUrl: undefined, logger };
  return { source: { eventStoreUrl: undefined, streamPrefix }, databaseUrl: text, logger };
}

/** Whether a named place is a folder. @throws Error for what is neither a folder nor a log */
export function isFolder({ text }: NamedPlace): boolean {
  if (postgres.test(text) || eventStore.test(text)) return false;
  if (!/^\w+:\/\//.test(text)) return true;
  throw new Error(`${text} is neither a folder nor a URL of Postgres or EventStoreDB`);
}

/** Hands `use` a named place, to copy from it. @throws what opening and `use` throw */
export async function withNamedSource(
  named: NamedPlace,
  command: string,
  logger: Logger,
  use: (place: CopyPlace) => Promise<void>,
): Promise<void> {
  const place = logPlaceOf(named, logger);
  return place ? withSource(place, command, use) : use(folderPlace(resolve(named.text)));
}

/** Hands `use` a log, to copy from it: that it is read is recorded in it, behind what is copied. */
export function withSource(
  place: LogPlace,
  command: string,
  use: (place: CopyPlace) => Promise<void>,
): Promise<void> {
  return withAskedLog({ command, ...place }, async ({ log, use: recorded }) => {
    await warnOfMisplacedEvents(command, log);
    const upTo = recorded?.before ?? (await log.end(categories));
    // The extent of EventStoreDB is in bytes.
    const total = place.source.eventStoreUrl === undefined ? log.extent(startOfLog, upTo) : undefined;
    const firsts = new FirstEvents(log);
    const unread = new UnreadEvents();
    try {
      await use({ ...placeOf(log), ...logCopy(log, { upTo, firsts, unread }), total, firsts });
    } finally {
      sayUnread(command, unread);
      await sayLeftOut(command, firsts);
    }
  });
}

/** Hands `use` a named place, to copy to it. @throws what opening and `use` throw */
export async function withNamedTarget(
  named: NamedPlace,
  logger: Logger,
  use: (place: CopyPlace) => Promise<void>,
): Promise<void> {
  const place = logPlaceOf(named, logger);
  return place ? withTarget(place, use) : use(folderPlace(resolve(named.text)));
}

/** Hands `use` a log, to copy to it. */
export async function withTarget(place: LogPlace, use: (place: CopyPlace) => Promise<void>): Promise<void> {
  const { source, databaseUrl } = place;
  if (source.eventStoreUrl === undefined && databaseUrl !== undefined) {
    const target = new PostgresTarget(place, databaseUrl);
    return use(target).finally(() => target.close());
  }
  const log = await openOwnLog({ ...place, unnamed: 'taken' });
  try {
    await use(placeOf(log));
  } finally {
    await log.close();
  }
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
    name: (installation) => {
      const file = join(folder, nameFile);
      return whileWriting(file, writeFile(file, `${installation}\n`));
    },
  };
}
