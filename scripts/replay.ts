import { Option } from 'commander';
import { categoryNames } from '../contracts/events/index.ts';
import { readEnvironment } from '../services/environment.ts';
import {
  actor,
  conversation,
  count,
  eventType,
  listOf,
  mid,
  nonEmpty,
  oneOf,
  streams,
  time,
  uid,
} from './cli/arguments.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { formatNames } from './replay/formats.ts';
import { type ReplayOptions, replay } from './replay/replay.ts';
import { withLogToAsk } from './with-log.ts';

/** `npm run replay`: shows the events of the log, while the system runs or at rest. */

const category = oneOf('category', categoryNames);

const command = operatorCommand({
  name: 'replay',
  description:
    'Shows the events of the log: when, who, where and what. It changes nothing but a record of its use in the log.',
  examples: [
    ['--since 2h', 'what happened in the last two hours'],
    ['--stream group-123456789', 'everything that was decided about a group'],
    ['--about 9 --type MemberMuted,MemberUnmuted --names', 'the mutes of a person, with names'],
    ['--by server --reverse --limit 20', "the last 20 things that the server's key did"],
    [
      '--format csv --category conversation --since 2026-11-01 > november.csv',
      'as a table for other programs',
    ],
    ['--follow --format ndjson', 'what happens from now on, and before, as lines of JSON'],
  ],
  notes:
    'Call it as npm run -s replay to keep the lines of npm itself out of the output. Times are local unless they name their zone.',
})
  .option(
    '--stream <names>',
    'only these streams, comma between: user-9,group-50; group-* means all that begin so',
    listOf(streams),
  )
  .option(
    '--category <names>',
    'only streams of these categories: user, group, conversation …',
    listOf(category),
  )
  .option('--type <names>', 'only these types of events: MessageSent,MessageRevoked', listOf(eventType))
  .option(
    '--by <uid>',
    "only what this person caused, or the server's key for them; server: all that the server's key or an operator did; " +
      'nobody: what strangers did',
    actor,
  )
  .option('--about <uid>', 'only what is about this person', uid)
  .option('--conversation <id>', 'only what is about this conversation: f3-9 or g123456789', conversation)
  .option('--mid <mid>', 'only what is about this message', mid)
  .option('--correlation <id>', 'only what came of this request: its X-Request-Id', nonEmpty)
  .option('--caused-by <id>', 'only what this request or event caused directly', nonEmpty)
  .option('--since <time>', 'recorded from then on: 2h, 2026-11-27, 2026-11-27T10:00+08:00', time)
  .option('--until <time>', 'recorded before then', time)
  .option('--from <position>', 'after this position')
  .option('--to <position>', 'up to this position')
  .addOption(new Option('--format <format>', 'how to show them').choices(formatNames).default('table'))
  .addOption(
    new Option('--follow', 'goes on with new events, until Ctrl-C').conflicts(['reverse', 'until', 'to']),
  )
  .option('--reverse', 'the last event first')
  .option('--limit <number>', 'this many events at most', count)
  .option('--names', 'adds the present nicknames of people and names of groups')
  .action(async (options: ReplayOptions) => {
    const signal = interruptible({ endless: options.follow === true });
    const countsEvents = readEnvironment().eventStoreUrl === undefined;
    await withLogToAsk(
      'replay',
      (asked, databaseUrl) => replay({ ...asked, databaseUrl, countsEvents, options, signal }),
      options.follow ? signal : undefined,
    );
  });

await runCommand(command);
