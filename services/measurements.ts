/*
 * What the parts report about their work, for subscribers in this process (`services/metrics/`, `services/traces/`). Without a
 * subscriber nothing is measured: a part asks `wanted` before it looks at a clock.
 */

/** One kind of measurement. */
export class Measurement<Reported> {
  readonly #listeners = new Set<(reported: Reported) => void>();

  /** Whether anybody subscribes. */
  get wanted(): boolean {
    return this.#listeners.size > 0;
  }

  report(reported: Reported): void {
    for (const listener of this.#listeners) listener(reported);
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: (reported: Reported) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** An append to the log has ended. */
export interface AppendMeasurement {
  readonly ms: number;
  readonly events: number;
  readonly outcome: 'appended' | 'already appended' | 'conflict' | 'failed';
  /** The request that caused them, if their metadata name one. */
  readonly request: string | undefined;
}

/** The projector has committed a batch. */
export interface BatchMeasurement {
  readonly events: number;
  readonly pushes: number;
}

/** Something was done for requests: the projector committed their events, or a gateway wrote their pushes to its sockets. */
export interface StepMeasurement {
  readonly ms: number;
  /** The ids of the requests. */
  readonly requests: ReadonlySet<string>;
}

/** A gateway wrote pushes to its sockets. */
export interface PushMeasurement extends StepMeasurement {
  /** The database if the bus had lost them. */
  readonly source: 'bus' | 'database';
}

/** A gateway has handed the pushes of a batch to its sockets. */
export interface DeliveryMeasurement {
  /**
   * Since the batch's last event was decided or, if the bus had lost it, since its push was stored: a difference between
   * the clocks of two servers is part of it.
   */
  readonly ms: number;
}

/** A websocket has ended by the gateway's will. */
export interface ClosingMeasurement {
  /** The protocol's code; `cut` if the client was not waited for. */
  readonly code: number | 'cut';
}

/** A call was answered. */
export interface CallMeasurement {
  readonly call: string;
  /** The code of the envelope; of other answers, the status. */
  readonly code: number;
  readonly ms: number;
  readonly method: string;
  readonly status: number;
  /** The id of the request. */
  readonly request: string;
}

export const appends = new Measurement<AppendMeasurement>();
export const batches = new Measurement<BatchMeasurement>();
export const deliveries = new Measurement<DeliveryMeasurement>();
export const projections = new Measurement<StepMeasurement>();
export const pushes = new Measurement<PushMeasurement>();
export const closings = new Measurement<ClosingMeasurement>();
export const calls = new Measurement<CallMeasurement>();
/** A gateway begins to read pushes that the bus may have lost. */
export const busGaps = new Measurement<void>();

/** Measures an append of events. @throws what it throws */
export function measureAppend<Result extends Appended>(
  events: MeasuredEvents,
  append: () => Promise<Result>,
): Promise<Result> {
  return appends.wanted ? measuredAppend(events, append) : append();
}

type Appended = { readonly outcome: AppendMeasurement['outcome'] };
type MeasuredEvents = readonly { readonly metadata: Readonly<Record<string, unknown>> }[];

async function measuredAppend<Result extends Appended>(
  events: MeasuredEvents,
  append: () => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  let outcome: AppendMeasurement['outcome'] = 'failed';
  try {
    const result = await append();
    ({ outcome } = result);
    return result;
  } finally {
    const request = events[0]?.metadata.$correlationId;
    appends.report({
      ...{ ms: performance.now() - began, events: events.length, outcome },
      request: typeof request === 'string' ? request : undefined,
    });
  }
}
