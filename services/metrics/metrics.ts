import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { appends, batches, busGaps, calls, closings, deliveries } from '../measurements.ts';

/** From 0.5 ms, what an append takes at its fastest, to 10 s. */
const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const events = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** What a program counts, in the format of Prometheus (docs/operations.md, "Metrics"). */
export interface Metrics {
  /**
   * Adds a figure that is read whenever the metrics are.
   * @param name without the prefix `bubble_`
   * @param read figures by the value of `label`; without a label there is one, under ''. If it fails, this metric has no
   *   value, and the others are shown
   */
  gauge(name: string, help: string, read: () => Figures | Promise<Figures>, label?: string): void;
  /** The content type, and all metrics as text. */
  show(): Promise<{ readonly type: string; readonly text: string }>;
  /** Counts no more. */
  stop(): void;
}

export type Figures = Readonly<Record<string, number>>;

/** Counts from now on what the parts of this process report. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const called = new Histogram({
    ...{ registers, name: 'bubble_call_seconds', help: 'Time to answer a call', buckets: seconds },
    labelNames: ['call'],
  });
  const answered = new Counter({
    ...{ registers, name: 'bubble_calls_total', help: 'Answers by call and code of the envelope' },
    labelNames: ['call', 'code'],
  });
  const appended = new Histogram({
    ...{ registers, name: 'bubble_append_seconds', help: 'Time of an append to the log', buckets: seconds },
    labelNames: ['outcome'],
  });
  const appendedEvents = new Counter({
    ...{ registers, name: 'bubble_appended_events_total', help: 'Events that were appended to the log' },
  });
  const batched = new Histogram({
    ...{
      registers,
      name: 'bubble_batch_events',
      help: 'Events in a batch of the projector',
      buckets: events,
    },
  });
  const pushed = new Counter({
    ...{ registers, name: 'bubble_pushes_total', help: 'Pushes that the projector has committed' },
  });
  const delivered = new Histogram({
    ...{ registers, name: 'bubble_push_seconds', buckets: seconds },
    help: 'Time from deciding an event to writing its push to the sockets of this gateway',
  });
  const closed = new Counter({
    ...{ registers, name: 'bubble_sockets_closed_total', help: 'Sockets that the gateway closed, by code' },
    labelNames: ['code'],
  });
  const gaps = new Counter({
    ...{ registers, name: 'bubble_bus_gaps_total', help: 'Times that the bus had lost pushes' },
  });
  const stops = [
    calls.subscribe(({ call, code, ms }) => {
      called.observe({ call }, ms / 1000);
      answered.inc({ call, code });
    }),
    appends.subscribe(({ ms, events: count, outcome }) => {
      appended.observe({ outcome }, ms / 1000);
      if (outcome === 'appended') appendedEvents.inc(count);
    }),
    batches.subscribe(({ events: count, pushes }) => {
      batched.observe(count);
      pushed.inc(pushes);
    }),
    deliveries.subscribe(({ ms }) => delivered.observe(Math.max(0, ms) / 1000)),
    closings.subscribe(({ code }) => closed.inc({ code })),
    busGaps.subscribe(() => gaps.inc()),
  ];
  return {
    gauge(name, help, read, label) {
      new Gauge({
        ...{ registers, name: `bubble_${name}`, help, labelNames: label === undefined ? [] : [label] },
        async collect() {
          this.reset();
          // Without labels that left a 0.
          if (label === undefined) this.remove();
          const figures = await readSafely(read);
          for (const [value, figure] of Object.entries(figures)) {
            this.set(label === undefined ? {} : { [label]: value }, figure);
          }
        },
      });
    },
    async show() {
      return { type: registry.contentType, text: await registry.metrics() };
    },
    stop() {
      for (const stop of stops) stop();
      registry.clear();
    },
  };
}

/** No figures if they cannot be read: while the database is away, all others are needed most. */
async function readSafely(read: () => Figures | Promise<Figures>): Promise<Figures> {
  try {
    return await read();
  } catch {
    return {};
  }
}
