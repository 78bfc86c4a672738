import { randomUUID } from 'node:crypto';
import type { Bus } from '../../bus/bus.ts';
import { gatewaysTopic, gatewayTopic } from '../../bus/topics.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { Rooms } from '../subscriptions/rooms.ts';

const patience = 1_000;

interface Question {
  readonly missing: Set<string>;
  readonly counts: Map<string, number>;
  answered(): void;
}

/** What sockets are subscribed to over all gateways: each is asked, and answers for its own. */
export class Occupancy {
  readonly #bus: Bus;
  readonly #database: ReadingDatabase;
  readonly #rooms: Rooms;
  readonly #gateway: string;
  readonly #questions = new Map<string, Question>();
  readonly #stops: readonly (() => void)[];

  constructor(options: { bus: Bus; database: ReadingDatabase; rooms: Rooms; gateway: string }) {
    this.#bus = options.bus;
    this.#database = options.database;
    this.#rooms = options.rooms;
    this.#gateway = options.gateway;
    this.#stops = [
      this.#bus.onSignal(gatewaysTopic, (signal) => {
        if (signal.kind === 'question') this.#answer(signal.id, signal.prefix, signal.answerTo);
      }),
      this.#bus.onSignal(gatewayTopic(this.#gateway), (signal) => {
        if (signal.kind === 'answer') this.#note(signal.id, signal.gateway, signal.subscriptions);
      }),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /**
   * The occupied channels whose names begin so, with how many sockets are on each. A gateway that
   * does not answer within a second is left out. @throws what the database throws.
   */
  async count(prefix: string): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#database.query<{ gateway: string }>(
      'select gateway from presence.gateways where leaving is null',
    );
    const missing = new Set(rows.map(({ gateway }) => gateway)).add(this.#gateway);
    const counts = new Map<string, number>();
    const id = randomUUID();
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, patience);
      const answered = () => {
        clearTimeout(deadline);
        resolve();
      };
      this.#questions.set(id, { missing, counts, answered });
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
    for (const [name, count] of this.#rooms.occupied()) {
      if (name.startsWith(prefix)) subscriptions[name] = count;
    }
    this.#bus.signal(answerTo, { kind: 'answer', id, gateway: this.#gateway, subscriptions });
  }

  #note(id: string, gateway: string, subscriptions: Readonly<Record<string, number>>): void {
    const question = this.#questions.get(id);
    if (!question?.missing.delete(gateway)) return;
    for (const [name, count] of Object.entries(subscriptions)) {
      question.counts.set(name, (question.counts.get(name) ?? 0) + count);
    }
    if (question.missing.size === 0) question.answered();
  }
}
