import { randomInt } from 'node:crypto';
import { pino } from 'pino';
import { friendConversation, Mid, Uid } from '../../contracts/ids.ts';
import { startProjector } from '../../projections/runner/projector.ts';
import type { Tick } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { followProgress } from '../../services/bus/progress.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { type EventLog, type NewEvent, type StreamName, startOfLog } from '../../services/log/log.ts';
import { type AppendOne, quantiles } from './comparing.ts';
import { recorded } from './home-filling.ts';

/** Events appended a second while it is measured how long they take. */
const rate = 1_000;

/** The wait for a projector that has others' events before it, in milliseconds. */
const deliveryTimeoutMs = 600_000;

/** One way by which events arrive somewhere, which is measured. */
export interface Delivery {
  /** Where they arrive. */
  readonly name: string;
  /** Appends an event and settles once it has arrived. */
  deliver(stream: StreamName, event: NewEvent): Promise<unknown>;
  stop(): Promise<void>;
}

/** Prints how long messages take from the append to their arrival, after a second that does not count. */
export async function reportDelivery(way: Delivery, seconds: number): Promise<void> {
  await timeDelivery(way, 1);
  const { p50, p99 } = quantiles(await timeDelivery(way, seconds));
  const figures = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
  console.log(`at ${rate} events/s, from append to ${way.name}: ${figures}`);
}

/** Appends messages of 50 conversations at a steady rate: how long each took to arrive, in milliseconds. */
async function timeDelivery(way: Delivery, seconds: number): Promise<number[]> {
  const message = conversations(50);
  const latencies: number[] = [];
  const one = async (index: number) => {
    const [stream, event] = message(index);
    const began = performance.now();
    await way.deliver(stream, event);
    latencies.push(performance.now() - began);
  };
  const wanted = rate * seconds;
  const begun: Promise<void>[] = [];
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(wanted, ((performance.now() - start) / 1_000) * rate);
      while (begun.length < due) begun.push(one(begun.length));
      if (begun.length < wanted) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(begun);
  return latencies;
}

/** Messages that a projector can read, of people whom no other run has. */
function conversations(count: number): (index: number) => [StreamName, NewEvent] {
  const first = randomInt(1e9, 2e9) * 1_000;
  return (index) => {
    const from = Uid.parse(first + (index % count) * 2);
    const conversation = friendConversation(from, Uid.parse(from + 1));
    const content = '今天下午三点在老地方见面,记得带上昨天的资料。';
    const data = { conversation, mid: Mid.parse(first * 1_000 + index), from, content };
    return [streamName(`conversation-${conversation}`), recorded({ type: 'MessageSent', data })];
  };
}

/** To a subscription, which reports each event by its id. */
export function toSubscription(
  name: string,
  append: AppendOne,
  follow: (onEvent: (id: string) => void, signal: AbortSignal) => Promise<void>,
): Delivery {
  const waiting = new Map<string, () => void>();
  const done = new AbortController();
  const following = follow((id) => {
    waiting.get(id)?.();
    waiting.delete(id);
  }, done.signal);
  return {
    name,
    async deliver(stream, event) {
      const arrived = new Promise<void>((resolve) => waiting.set(event.id, resolve));
      await Promise.all([append(stream, event), arrived]);
    },
    async stop() {
      done.abort();
      await following;
    },
  };
}

/** To a subscription of the log itself. */
export async function toLogSubscription(log: EventLog): Promise<Delivery> {
  const after = await log.end();
  const append: AppendOne = (stream, event) => log.append(stream, 'any', [event]);
  return toSubscription('a subscription of the adapter', append, async (onEvent, signal) => {
    for await (const batch of log.subscribe({ after, signal })) {
      for (const { id } of batch) onEvent(id);
    }
  });
}

/** Into the read models: appended, projected and committed. The migrated database is this run's alone. */
export async function toReadModels(log: EventLog, database: string): Promise<Delivery> {
  const logger = pino({ level: 'silent' });
  const bus = memoryBus(logger);
  const projector = await startProjector({ log, database, bus, logger });
  // This bus loses nothing, so its last tick is what the database would say.
  let last: Tick = { checkpoint: startOfLog, fence: 0, batch: 0 };
  bus.onTick((tick) => {
    last = tick;
  });
  const progress = await followProgress(bus, async () => last);
  return {
    name: 'the read models',
    async deliver(stream, event) {
      const result = await log.append(stream, 'any', [event]);
      if (result.outcome !== 'appended') throw new Error(`not appended: ${result.outcome}`);
      if (await progress.reached(result.position, deliveryTimeoutMs)) return;
      throw new Error(projector.status().fault?.reason ?? 'the projector does not catch up');
    },
    async stop() {
      progress.stop();
      await projector.stop();
      await bus.close();
    },
  };
}
