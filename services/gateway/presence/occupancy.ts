import { randomUUID } from 'node:crypto';
import type { Bus } from '../../bus/bus.ts';
import { gatewaysTopic, gatewayTopic } from '../../bus/topics.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { Hub } from '../subscriptions/hub.ts';

/** A gateway that does not answer within this time is left out. */
const answerTimeoutMs = 1_000;

interface Question {
  /** The gateways that have not answered. */
  readonly missing: Set<string>;
  readonly counts: Map<string, number>;
  allAnswered(): void;
}

/** Counts the subscriptions of all gateways: asks each over the bus, and answers for this one. */
export class Occupancy {
  readonly #bus: Bus;
  readonly #database: ReadingDatabase;
  readonly #hub: Hub;
  readonly #gateway: string;
  readonly #questions = new Map<string, Question>();
  readonly #stops: readonly (() => void)[];

  constructor(options: { bus: Bus; database: ReadingDatabase; hub: Hub; gateway: string }) {
    this.#bus = options.bus;
    this.#database = options.database;
    this.#hub = options.hub;
    this.#gateway = options.gateway;
    this.#stops = [
      this.#bus.onSignal(gatewaysTopic, (signal) => {
        if (signal.kind === 'question') this.#answer(signal.id, signal.prefix, signal.answerTo);
      }),
      this.#bus.onSignal(gatewayTopic(this.#gateway), (signal) => {
        if (signal.kind === 'answer') this.#add(signal.id, signal.gateway, signal.subscriptions);
      }),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /**
   * The number of subscriptions of each occupied channel whose name begins with `prefix`. A gateway that does not
   * answer within 1 s is left out. @throws what the database throws.
   */
  async count(prefix: string): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#database.query<{ gateway: string }>(
      'select gateway from presence.gateways where leaving is null',
    );
    const missing = new Set(rows.map(({ gateway }) => gateway)).add(this.#gateway);
    const counts = new Map<string, number>();
    const id = randomUUID();
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(resolve, answerTimeoutMs);
      const allAnswered = () => {
        clearTimeout(timeout);
        resolve();
      };
      this.#questions.set(id, { missing, counts, allAnswered });
      this.#bus.signal(gatewaysTopic, {
        kind: 'question',
        id,
        prefix,
        answerTo: gatewayTopic(this.#gateway),
      });
    });
    this.#questions.delete(id);
    return counts;
  }

  #answer(id: string, prefix: string, answerTo: string): void {
    const subscriptions: Record<string, number> = {};
    for (const [name, count] of this.#hub.occupied()) {
      if (name.startsWith(prefix)) subscriptions[name] = count;
    }
    this.#bus.signal(answerTo, { kind: 'answer', id, gateway: this.#gateway, subscriptions });
  }

  #add(id: string, gateway: string, subscriptions: Readonly<Record<string, number>>): void {
    const question = this.#questions.get(id);
    if (!question?.missing.delete(gateway)) return;
    for (const [name, count] of Object.entries(subscriptions)) {
      question.counts.set(name, (question.counts.get(name) ?? 0) + count);
    }
    if (question.missing.size === 0) question.allAnswered();
  }
}
