import { randomUUID } from 'node:crypto';
import type { Bus, Signal } from '../../bus/bus.ts';
import { gatewaysTopic, gatewayTopic } from '../../bus/topics.ts';
import { chunked } from '../../chunked.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { Hub } from '../subscriptions/hub.ts';

/** A gateway that does not answer within this time is left out. */
const answerTimeoutMs = 1_000;

/** How many channels one signal holds, so that it is half of what NATS takes (1 MB) if their names have 200 characters. */
const channelsInSignal = 2_000;

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
  readonly #hub: Pick<Hub, 'occupied'>;
  readonly #gateway: string;
  readonly #questions = new Map<string, Question>();
  readonly #stops: readonly (() => void)[];

  constructor(options: { bus: Bus; database: ReadingDatabase; hub: Pick<Hub, 'occupied'>; gateway: string }) {
    this.#bus = options.bus;
    this.#database = options.database;
    this.#hub = options.hub;
    this.#gateway = options.gateway;
    this.#stops = [
      this.#bus.onSignal(gatewaysTopic, (signal) => {
        if (signal.kind === 'question') this.#answer(signal.id, signal.prefix, signal.answerTo);
      }),
      this.#bus.onSignal(gatewayTopic(this.#gateway), (signal) => {
        if (signal.kind === 'answer') this.#add(signal);
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
    const occupied: (readonly [string, number])[] = [];
    for (const found of this.#hub.occupied()) if (found[0].startsWith(prefix)) occupied.push(found);
    const pieces = occupied.length === 0 ? [[]] : [...chunked(occupied, channelsInSignal)];
    for (const [index, piece] of pieces.entries()) {
      this.#bus.signal(answerTo, {
        ...{ kind: 'answer', id, gateway: this.#gateway, subscriptions: Object.fromEntries(piece) },
        ...(index < pieces.length - 1 ? { more: true } : {}),
      });
    }
  }

  #add({ id, gateway, subscriptions, more }: Signal & { kind: 'answer' }): void {
    const question = this.#questions.get(id);
    if (!question?.missing.has(gateway)) return;
    for (const [name, count] of Object.entries(subscriptions)) {
      question.counts.set(name, (question.counts.get(name) ?? 0) + count);
    }
    if (more) return;
    question.missing.delete(gateway);
    if (question.missing.size === 0) question.allAnswered();
  }
}
