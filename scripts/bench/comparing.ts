import { v7 as uuidv7 } from 'uuid';
import { streamName } from '../../services/domain/aggregate.ts';
import type { EventId, NewEvent, StreamName } from '../../services/log/log.ts';

/** Stores one event of ~300 bytes and settles when it is on disk. */
export type AppendOne = (stream: StreamName, event: NewEvent) => Promise<unknown>;

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const callerCounts = [1, 16, 200];

/** Measures the adapter and what it is held against in turns, and prints the medians. */
export async function compare(
  adapter: AppendOne,
  bare: AppendOne,
  seconds: number,
  rounds: number,
): Promise<void> {
  console.log('callers   adapter/s   p50 ms   p99 ms      bare/s   p50 ms   p99 ms   ratio');
  for (const callers of callerCounts) {
    const withAdapter: Figures[] = [];
    const without: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
      withAdapter.push(await load(adapter, callers, seconds));
      without.push(await load(bare, callers, seconds));
    }
    print(callers, median(withAdapter), median(without));
  }
}

/** Callers each append to a stream of their own, the next event as soon as the last one is acknowledged. */
async function load(append: AppendOne, callers: number, seconds: number): Promise<Figures> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      // Of a category that no projection reads, since the server may be used for more than this.
      const stream = streamName(`bench-${caller}`);
      for (let now = performance.now(); now < end; ) {
        await append(stream, message(caller));
        const after = performance.now();
        latencies.push(after - now);
        now = after;
      }
    }),
  );
  const took = (performance.now() - begun) / 1000;
  return { perSecond: latencies.length / took, ...quantiles(latencies) };
}

/** The middle of some latencies, and what all but a hundredth stay below. */
export function quantiles(latencies: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** About as large as a short message. */
function message(caller: number): NewEvent {
  const id = uuidv7();
  return {
    id: id as EventId,
    type: 'MessageSent',
    data: {
      mid: 123456789,
      from: caller,
      content: '今天下午三点在老地方见面,记得带上昨天的资料。',
      subType: 'message',
    },
    metadata: { time: Date.now(), actor: String(caller), version: 1, $correlationId: id, $causationId: id },
  };
}

function median(figures: readonly Figures[]): Figures {
  const sorted = figures.toSorted((a, b) => a.perSecond - b.perSecond);
  return sorted[Math.floor(sorted.length / 2)] ?? { perSecond: Number.NaN, p50: Number.NaN, p99: Number.NaN };
}

function print(callers: number, adapter: Figures, bare: Figures): void {
  const figures = ({ perSecond, p50, p99 }: Figures) =>
    `${perSecond.toFixed(0).padStart(12)}${p50.toFixed(2).padStart(9)}${p99.toFixed(2).padStart(9)}`;
  const ratio = (adapter.perSecond / bare.perSecond).toFixed(2);
  console.log(`${String(callers).padStart(7)}${figures(adapter)}${figures(bare)}${ratio.padStart(8)}`);
}
