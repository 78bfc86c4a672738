import type { Client } from 'pg';
import type { Logger } from 'pino';
import { categories } from '../../../contracts/events/index.ts';
import { BeginAgain, type Beginning, type Handler, type Task } from '../../followers/task.ts';
import { type Preferred, Yielding } from '../../followers/yielding.ts';
import type { EventLog } from '../../log/log.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import type { ConsumerSession, IndexConsumer } from './consumer.ts';
import { Indexing } from './indexing.ts';

/** The name of the auditor's lease and checkpoint. */
export const auditorName = 'audit';

/** Empties the index, in the transaction under way. */
export async function emptyIndex(client: Client, consumers: readonly IndexConsumer[]): Promise<void> {
  await client.query('truncate audit.events, audit.people, audit.types, audit.repeats');
  for (const consumer of consumers) await consumer.reset(client);
}

/**
 * What an auditor does with the log. It works on records, so that an event that this program cannot read is in the
 * index too.
 */
export class AuditTask implements Task {
  readonly name = auditorName;
  readonly part = 'auditor';
  readonly prefixes = categories;
  /** What is lost in a crash is made again from the log, so commits need not wait for the disk. */
  readonly session = {
    name: 'bubble-im auditor',
    statementTimeoutMs: 30_000,
    settings: { synchronous_commit: 'off', plan_cache_mode: 'force_generic_plan', jit: 'off' },
  };
  readonly #log: EventLog;
  readonly #consumers: readonly IndexConsumer[];
  readonly #logger: Logger;
  readonly #preferred: Preferred | undefined;

  /** @param preferred a follower of this program that the index may not slow */
  constructor(log: EventLog, consumers: readonly IndexConsumer[], logger: Logger, preferred?: Preferred) {
    this.#log = log;
    this.#logger = logger.child({ part: 'audit' });
    this.#consumers = consumers;
    this.#preferred = preferred;
  }

  /** In another epoch the events up to the checkpoint are the same: the index stays. */
  async reset(client: Client, misfit: 'another epoch' | 'went back'): Promise<void> {
    if (misfit === 'went back') await emptyIndex(client, this.#consumers);
  }

  async begin({ client, held }: Beginning): Promise<Handler> {
    const { rows } = await client.query<{ next: string; analyzed: number }>(
      `select (select coalesce(max(number) + 1, 0) from audit.events) as next,
         greatest(reltuples, 0) as analyzed from pg_class where oid = 'audit.events'::regclass`,
    );
    const next = Number(rows[0]?.next ?? 0);
    const analyzed = rows[0]?.analyzed ?? 0;
    const sessions: ConsumerSession[] = [];
    for (const consumer of this.#consumers) {
      const session = await consumer.begin(client, next);
      if (session === undefined) return this.#beginAgain(client, held.fence);
      sessions.push(session);
    }
    const yielding = new Yielding(this.#log, this.prefixes, this.#preferred);
    return new Indexing({
      ...{ client, held, next, analyzed, name: this.name, consumers: sessions },
      ...{ log: this.#log, logger: this.#logger },
      restMs: (tookMs) => yielding.restMs(tookMs),
    });
  }

  /** The index has events that a consumer lacks: both are made again. */
  async #beginAgain(client: Client, fence: number): Promise<never> {
    await inTransaction(client, async () => {
      const { rowCount } = await client.query(
        `update followers.checkpoint set position = '', event_id = null where name = $1 and fence = $2`,
        [this.name, fence],
      );
      if (rowCount === 1) await emptyIndex(client, this.#consumers);
    });
    throw new BeginAgain('the index is made again');
  }
}
