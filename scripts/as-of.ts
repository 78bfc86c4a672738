import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { z } from 'zod';
import { answerQuery } from '../services/api/past/query.ts';
import { loadAppKeys } from '../services/app-keys/app-keys.ts';
import { type PastSchemas, withPastSchemas } from '../services/audit/as-of/past-schemas.ts';
import { parseQuery, type Query } from '../services/audit/as-of/query.ts';
import { type Environment, readEnvironment } from '../services/environment.ts';
import type { EventLog } from '../services/log/log.ts';
import { createPool } from '../services/postgres/pool.ts';
import { keptLine } from './as-of/kept-line.ts';
import { NothingMatches, operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { momentOf } from './cli/moments.ts';
import { escapeControls } from './cli/output.ts';
import { showProgress } from './cli/progress.ts';
import { withLog, withLogToAsk } from './with-log.ts';

/** `npm run as-of`: what was so at a moment. */

/** The exit code if the API refused the query then: that is an answer, which a script can tell from none (1). */
const refusedCode = 2;

interface Options {
  readonly at?: string;
  readonly keep?: true;
  readonly fromLog?: true;
  readonly kept?: true;
  readonly forget?: string | true;
  readonly host?: string;
}

const command = operatorCommand({
  name: 'as-of',
  description:
    'Answers from the state of a moment: a group, a person, their friends or the settings, folded from the log; or any ' +
    'query of the API, as the API answered it then, byte for byte.',
  examples: [
    ['--at 2026-11-27T10:00 group 502139874', 'the group with its members, roles and mutes'],
    ['--at 2h friends 9', 'whose friend person 9 was two hours ago'],
    ['--at 2026-11-27T10:00 pop/get --login_uid 9', 'the home page of person 9 as it was'],
    [
      '--at 0000000000002042 --keep message/get --login_uid 9 --id 12 --type friend',
      'after an event, for more questions',
    ],
    [
      '--at 2026-11-27T10:00 --from-log pop/get --login_uid 9',
      'the same from the log alone, in case tables were changed by hand',
    ],
    ['--at 2026-11-27T10:00 group/list --groupname 项目', 'the groups whose names began so then'],
    ['--kept', 'lists what --keep kept: schema, moment, people, size'],
    ['--forget', 'drops all that --keep kept'],
    ['--forget as_of_0a1b2c3d4e5f6071', 'drops one of them'],
  ],
  notes:
    'Everybody is offline in the answers: who was online is in no log. Reading a chat marks nothing as read.\n' +
    'An answer is made of what concerns the people asked about, found in the index of the log; without an index,\n' +
    'of the whole log, which takes as long as making all read models again. Lists of everybody or of every group\n' +
    'are made of all events of people and groups. A query that the log does not answer is refused with the reason.\n' +
    'The exit code is 2 if the API refused the query then (a code other than 0): the refusal is printed all the same.',
})
  .usage('[options] <query> [--parameter value …]')
  .argument(
    '[query...]',
    'group GID, user UID, friends UID, settings, or the name of a query with its parameters',
  )
  .option('--at <time|position>', 'the moment: 2h, 2026-11-27T10:00, or the position of an event')
  .option('--keep', 'keeps the read models that are made, for further questions about the same moment')
  .option(
    '--from-log',
    'takes nothing from the present read models and the index: makes all of the whole log, however long that takes',
  )
  .option('--kept', 'lists the read models that were kept')
  .option(
    '--forget [schema]',
    'drops read models that were kept: those in a schema that --kept lists, or all',
  )
  .option('--host <host:port>', 'under which the query is asked, as answers name the websocket’s address')
  .passThroughOptions()
  .action(run);

async function run(words: string[], { at, keep, fromLog, kept, forget, host }: Options): Promise<void> {
  if (kept && forget !== undefined)
    throw new Error('--kept and --forget are different things: give one of them');
  if ((kept || forget !== undefined) && (words.length > 0 || at !== undefined || keep || fromLog))
    throw new Error('--kept and --forget take no query');
  if (kept) return withSchemas(listKept);
  if (forget !== undefined) return withSchemas((schemas) => forgetKept(schemas, forget));
  const query = parseQuery(words);
  if (at === undefined)
    throw new Error(
      '--at is missing: a time such as 2h or 2026-11-27T10:00, or a position; options come before the query',
    );
  if (keep && query.kind !== 'call')
    throw new Error(`--keep keeps read models, and ${query.kind} is folded from the log: leave it out`);
  const environment = readEnvironment();
  const signal = interruptible();
  const asked = {
    ...{ at, keep: keep === true, fromLog: fromLog === true },
    host: host ?? `${environment.host}:${environment.port}`,
  };
  await withLogToAsk('as-of', ({ log }, databaseUrl) =>
    answer(log, databaseUrl, environment, query, asked, signal),
  );
}

interface Asked {
  readonly at: string;
  readonly keep: boolean;
  readonly fromLog: boolean;
  readonly host: string;
}

async function answer(
  log: EventLog,
  databaseUrl: string | undefined,
  environment: Environment,
  query: Query,
  { at, keep, fromLog, host }: Asked,
  signal: AbortSignal,
): Promise<void> {
  const moment = await momentOf(log, at);
  const logger = pino({ level: 'silent' });
  const pool = databaseUrl === undefined ? undefined : createPool(databaseUrl, logger);
  const progress = showProgress({ doing: 'making the read models of then:' });
  const onNoIndex = (reads: string) => {
    const why = fromLog ? '--from-log' : 'there is no index of the log';
    process.stderr.write(`as-of: ${why}: reading ${reads} from the beginning\n`);
  };
  const onLost = () => {
    process.stderr.write(
      'as-of: the read models lack messages that the log has: these are read from the log; ' +
        'npm run verify -- --read-models names them\n',
    );
  };
  try {
    const app = await appOf(environment);
    const onApplied = (events: number) => progress.advance(events);
    const parts = {
      ...{ app, log, pool, logger, host, protocol: 'http', keep, fromLog, signal },
      ...{ onNoIndex, onApplied, onLost },
    };
    const json = await answerQuery(parts, query, moment);
    progress.clear();
    process.stdout.write(`${process.stdout.isTTY ? escapeControls(json) : json}\n`);
    if (query.kind === 'call' && isRefusal(json)) process.exitCode = refusedCode;
  } finally {
    progress.end();
    await pool?.end();
  }
}

/** Whether an answer of the API is a refusal. */
function isRefusal(json: string): boolean {
  return z.object({ code: z.int() }).parse(JSON.parse(json)).code !== 0;
}

/** The server's key, which answers show; where none is known here it is empty. It is never made. */
async function appOf({ appId: id, appKeys, dataFolder }: Environment) {
  const known = appKeys !== undefined || existsSync(join(dataFolder, 'app-secret'));
  const { key, secret } = known ? await loadAppKeys(dataFolder, appKeys) : { key: '', secret: '' };
  return { id, key, secret };
}

/** Hands `use` the schemas of the database that the environment names. */
function withSchemas(use: (schemas: PastSchemas) => Promise<void>): Promise<void> {
  return withLog(async (_, databaseUrl) => {
    if (databaseUrl === undefined) throw new Error('read models are kept in a database: set DATABASE_URL');
    await withPastSchemas(databaseUrl, use);
  });
}

async function listKept(schemas: PastSchemas): Promise<void> {
  const kept = await schemas.kept();
  if (kept.length === 0) process.stdout.write('nothing is kept\n');
  for (const each of kept) process.stdout.write(`${keptLine(each)}\n`);
  for (const schema of await schemas.unreadable()) {
    process.stderr.write(
      `as-of: ${schema} answers nothing, as its comment does not say what it shows: --forget ${schema} drops it\n`,
    );
  }
}

/** @param which a schema, or true for all */
async function forgetKept(schemas: PastSchemas, which: string | true): Promise<void> {
  const named = [...(await schemas.kept()).map(({ schema }) => schema), ...(await schemas.unreadable())];
  const kept = named.filter((schema) => which === true || schema === which);
  if (kept.length === 0 && which !== true) {
    throw new NothingMatches(`${which} is not kept: --kept lists what is`);
  }
  if (kept.length === 0) return void process.stdout.write('nothing was kept\n');
  const inUse: string[] = [];
  for (const schema of kept) if (!(await schemas.dropKept({ schema }))) inUse.push(schema);
  const dropped = kept.length - inUse.length;
  process.stdout.write(`dropped the read models of ${dropped === 1 ? '1 moment' : `${dropped} moments`}\n`);
  if (inUse.length > 0) throw new Error(`${inUse.join(', ')}: a query is being answered from it; try again`);
}

await runCommand(command);
