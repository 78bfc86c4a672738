import { type AppendResult, type EventLog, type NewEvent, type StreamName, startOfLog } from './log.ts';

/** How many events are on their way to the log at once: at least, at first, and at most, several of its batches. */
const [minUnanswered, firstUnanswered, maxUnanswered] = [200, 1_000, 8_000];

/**
 * An answer that takes longer, in milliseconds, means that the log is busy: fewer are then sent at once. It is far less
 * than the time after which an append fails.
 */
const slowAnswerMs = 1_000;

/** How many events, and bytes of their texts, of one stream that follow on each other go in one append. */
const maxTogether = 200;
const maxTogetherCharacters = 200_000;

/** A store numbers the events of a stream without a gap, so that it cannot hold some events. */
export class StoreCannotHold extends Error {
  override readonly name = 'StoreCannotHold';

  /** @param next the revision that the event gets in a store */
  constructor(stream: StreamName, revision: number, next: number) {
    super(
      `${stream}@${revision} would be @${next} in another store, as an event before it is missing: where a log holds two events of one ` +
        'id, the later one is not copied. Keep this log in its store, and a copy in a folder ' +
        '(docs/operations.md, Copying the log into another store)',
    );
  }
}

/** Events that are appended to one stream at once. */
export interface OrderedAppend {
  readonly stream: StreamName;
  readonly events: readonly [NewEvent, ...NewEvent[]];
  /** The revision that the last of them must get; any if it is left out. */
  readonly revision?: number;
}

/**
 * Appends events to several streams in exactly this order, many at once, fewer while the log is slow: if one event names the place of another, as a
 * reading does, the order of the log must be that of the events. Nobody else may append to the log meanwhile.
 * @param onAppended is called with the number of events that were stored since the last time
 * @throws LogFailure; StoreCannotHold; Error if the log holds any of the events, or stored them in another order or elsewhere
 */
export async function appendInOrder(
  log: Pick<EventLog, 'append'>,
  appends: Iterable<OrderedAppend> | AsyncIterable<OrderedAppend>,
  onAppended: (events: number) => void,
): Promise<void> {
  const unanswered: { readonly append: OrderedAppend; readonly answer: Promise<Answer> }[] = [];
  let [waiting, allowed] = [0, firstUnanswered];
  let last = startOfLog;
  const answered = async () => {
    const oldest = unanswered.shift();
    if (!oldest) return;
    const { stream, events, revision } = oldest.append;
    const { result, tookMs } = await oldest.answer;
    if (result.outcome !== 'appended')
      throw new Error(`the log holds an event of ${stream} already, or what is copied holds two of one id`);
    if (result.position <= last)
      throw new Error('the log stored events in another order: empty it, and begin again');
    if (revision !== undefined && result.revision < revision)
      throw new StoreCannotHold(stream, revision, result.revision);
    if (revision !== undefined && result.revision !== revision) {
      throw new Error(
        `the log stored ${stream}@${revision} as @${result.revision}: empty it, and begin again`,
      );
    }
    last = result.position;
    waiting -= events.length;
    allowed = tookMs > slowAnswerMs ? allowed / 2 : allowed + events.length;
    allowed = Math.min(maxUnanswered, Math.max(minUnanswered, allowed));
    onAppended(events.length);
  };
  try {
    for await (const append of together(appends)) {
      const answer = answerOf(log.append(append.stream, 'any', append.events));
      // It is awaited in its turn.
      answer.catch(() => undefined);
      unanswered.push({ append, answer });
      waiting += append.events.length;
      while (waiting > allowed) await answered();
    }
    while (unanswered.length > 0) await answered();
  } finally {
    await Promise.allSettled(unanswered.map(({ answer }) => answer));
  }
}

interface Answer {
  readonly result: AppendResult;
  readonly tookMs: number;
}

async function answerOf(append: Promise<AppendResult>): Promise<Answer> {
  const sent = performance.now();
  const result = await append;
  return { result, tookMs: performance.now() - sent };
}

/** Puts appends to one stream that follow on each other into one. */
async function* together(
  appends: Iterable<OrderedAppend> | AsyncIterable<OrderedAppend>,
): AsyncGenerator<OrderedAppend> {
  let current: OrderedAppend | undefined;
  let characters = 0;
  for await (const append of appends) {
    const more = append.events.reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
    const fits =
      current?.stream === append.stream &&
      current.events.length < maxTogether &&
      characters + more < maxTogetherCharacters;
    if (current && fits) {
      current = { ...append, events: [...current.events, ...append.events] };
      characters += more;
    } else {
      if (current) yield current;
      current = append;
      characters = more;
    }
  }
  if (current) yield current;
}
