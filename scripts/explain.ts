import { pino } from 'pino';
import type { Mid } from '../contracts/ids.ts';
import { defaultMaxSteps, type ExplainParts, explain } from '../services/audit/explain/explain.ts';
import { findInLog } from '../services/audit/explain/message-in-log.ts';
import { originFinder } from '../services/audit/explain/origin-finder.ts';
import { parseQuestion, questionForms } from '../services/audit/explain/question.ts';
import { explanationLines } from '../services/audit/explain/text.ts';
import { requestsInIndex } from '../services/audit/index/requests.ts';
import { presentMoment } from '../services/audit/moment.ts';
import { abortable } from '../services/audit/readable-log.ts';
import type { EventLog } from '../services/log/log.ts';
import { createPool } from '../services/postgres/pool.ts';
import { readDatabase } from '../services/queries/tables.ts';
import { count, oneOf } from './cli/arguments.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { momentOf } from './cli/moments.ts';
import { escapeControls } from './cli/output.ts';
import { withLogToAsk } from './with-log.ts';

/** `npm run explain`: why something is so, or was so at a moment. */

interface Options {
  readonly at?: string;
  readonly steps: number;
  readonly format: 'text' | 'json';
}

const command = operatorCommand({
  name: 'explain',
  description:
    'Tells why something is so: replays the decision over the events that concern it, and shows each change of the ' +
    'answer with its cause. The last line is the answer in one sentence.',
  examples: [
    ['can-speak 9 group 502139874', 'whether person 9 may speak in the group, and what made it so'],
    ['unread 9 friend 12 --at 2026-11-27T10:00', 'how many messages of 12 were unread for 9 at that time'],
    ['message 845', 'what happened to a message: sent, quoted, seen, revoked, and by whom'],
    ['visible 845 to 9 --format json', 'the same facts for programs'],
  ],
  notes: `Questions:\n${questionForms.map((form) => `  ${form}`).join('\n')}`,
})
  .usage('[options] <question>')
  .argument('<question...>', 'one of the questions below')
  .option(
    '--at <time|position>',
    'the moment of the answer: 2h, 2026-11-27T10:00, or a position; by default now',
  )
  .option('--steps <number>', 'how many changes to show at most, the last ones', count, defaultMaxSteps)
  .option('--format <format>', 'text or json', oneOf('format', ['text', 'json']), 'text')
  .action((words: string[], options: Options) => {
    const question = parseQuestion(words);
    const signal = interruptible();
    return withLogToAsk('explain', async ({ log }, databaseUrl) => {
      const moment = options.at === undefined ? presentMoment(Date.now()) : await momentOf(log, options.at);
      const explanation = await withParts(log, databaseUrl, signal, (parts) =>
        explain(parts, question, moment, options.steps),
      );
      const lines = options.format === 'json' ? [JSON.stringify(explanation)] : explanationLines(explanation);
      process.stdout.write(lines.map((line) => `${escapeControls(line)}\n`).join(''));
    });
  });

/** Gives `use` what is explained by: the log, and the read models and the index if there is a database. */
async function withParts<Result>(
  log: EventLog,
  databaseUrl: string | undefined,
  signal: AbortSignal,
  use: (parts: ExplainParts) => Promise<Result>,
): Promise<Result> {
  const readable = abortable(log, signal);
  if (databaseUrl === undefined) {
    const findOrigin = (mid: Mid) => {
      process.stderr.write(
        'explain: DATABASE_URL names no read models: reading the whole log for the message\n',
      );
      return findInLog(readable, mid);
    };
    return use({ log: readable, findOrigin });
  }
  const pool = createPool(databaseUrl, pino({ level: 'silent' }));
  try {
    const database = readDatabase(pool);
    return await use({
      log: readable,
      findOrigin: originFinder(database, readable),
      findRequest: await requestsInIndex(log, pool),
    });
  } finally {
    await pool.end();
  }
}

await runCommand(command);
