import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import { categories } from '../../../contracts/events/index.ts';
import type { EventId, EventLog, Position } from '../../log/log.ts';
import type { Database } from '../../postgres/database.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import { sameHash } from './hashes.ts';
import type { HeadSender } from './head-sender.ts';
import { ChangedHead, type Head, Heads, isHeadSignedBy, signHead } from './heads.ts';
import { LogWatch } from './log-watch.ts';
import { type NoteSigner, verifierOf } from './note.ts';
import { TreeStore } from './tree-store.ts';

/** How often heads are signed at most, and the tree is compared with the last one, in milliseconds. */
const everyMs = 10_000;

/** How often to check whether the log still holds the last event of the tree, in milliseconds. */
const checkEveryMs = 1_000;

/** How often older heads are thinned, in milliseconds. */
const thinEveryMs = 3_600_000;

/** While the log is suspected to be another, in milliseconds. */
const suspectedEveryMs = 500;

export interface HeadSigningOptions {
  readonly log: EventLog;
  readonly database: Database;
  readonly signer: NoteSigner;
  /** The name of the follower that makes the tree. */
  readonly follower: string;
  readonly logger: Logger;
  /** Sends each head that this process signs, and at first the last one before: it may not have been sent. */
  readonly sender?: Pick<HeadSender, 'offer' | 'fault'> | undefined;
  readonly everyMs?: number;
}

/** How the signing of heads is, for /ready. */
export interface HeadSigningStatus {
  /** How many events the last head has that this process knows. */
  readonly size: number;
  /**
   * The log is not the one that heads were signed for, so that none are signed; or somebody wrote into it, or deleted from
   * it, past the program (`LogWatch`); or a head that is kept elsewhere is not of it (`HeadSender`).
   */
  readonly fault?: string;
}

/** The place up to which the tree was made. */
interface Mark {
  readonly position: Position;
  readonly event_id: EventId | null;
}

/**
 * Signs a head of the tree when there are new events, at most every 10 s. Before that it compares the log with the
 * head that was signed last: a log that lacks or changes what was signed is reported, and no head is signed for it,
 * since a log never signs two heads that contradict each other. Of all processes on a database one signs at a time.
 */
export class HeadSigning {
  readonly #options: HeadSigningOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #unlisten: () => void;
  #running: Promise<void> = Promise.resolve();
  #wake = () => {};
  #fault: string | undefined;
  readonly #watch: LogWatch;
  #size = 0;
  /** Whether a head was given to the sender. */
  #given = false;
  /** When to compare and sign next, and when to thin, on the clock of `performance.now()`. */
  #signAt = 0;
  #thinAt = 0;
  #failing = false;

  constructor(options: HeadSigningOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ part: 'audit' });
    this.#watch = new LogWatch(options.log, options.database, this.#logger);
    this.#unlisten = options.log.onChanged(() => {
      this.#watch.reset();
      this.#report('the log went back or was replaced; it is being compared with the heads that were signed');
      this.#wake();
    });
  }

  /** Begins. Called once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unlisten();
    this.#wake();
    await this.#running;
  }

  status(): HeadSigningStatus {
    const faults = [this.#fault ?? this.#watch.fault, this.#options.sender?.fault];
    const found = faults.filter((fault) => fault !== undefined);
    return { size: this.#size, ...(found.length === 0 ? {} : { fault: found.join('; ') }) };
  }

  get #everyMs(): number {
    return this.#options.everyMs ?? everyMs;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const head = await this.#turn();
        if (head) this.#options.sender?.offer(head);
        this.#given ||= head !== undefined;
        this.#failing = false;
      } catch (error) {
        // It is tried again and again while the database or the log is away.
        if (!this.#failing) this.#logger.warn({ err: error }, 'heads of the audit log cannot be signed now');
        this.#failing = true;
      }
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const ms = this.#fault === undefined ? Math.min(this.#everyMs, checkEveryMs) : suspectedEveryMs;
      await pTimeout(woken.promise, { milliseconds: ms, fallback: () => undefined });
    }
  }

  /** Compares, and signs if there is something new. @returns a head to send */
  async #turn(): Promise<Head | undefined> {
    const { database, follower, log } = this.#options;
    const { rows } = await database.query<Mark>(
      'select position, event_id from followers.checkpoint where name = $1',
      [follower],
    );
    const mark = rows[0];
    if (mark === undefined || mark.position === '') return undefined;
    if ((await log.idAt(mark.position)) !== mark.event_id) {
      this.#report(
        `the log does not hold the event ${mark.event_id} any more, which is the last one in its audit`,
      );
      return undefined;
    }
    if (this.#fault === undefined && performance.now() < this.#signAt) return undefined;
    await this.#watch.check();
    const end = await log.end(categories);
    const client = await database.connect();
    try {
      const sign = () => this.#sign(client, mark.position >= end);
      const head = await inTransaction(client, sign, 'begin isolation level repeatable read');
      this.#signAt = performance.now() + this.#everyMs;
      return head;
    } finally {
      client.release();
    }
  }

  /** @param complete whether the tree has all that the log holds */
  async #sign(
    client: ConstructorParameters<typeof TreeStore>[0],
    complete: boolean,
  ): Promise<Head | undefined> {
    const { signer } = this.#options;
    const { rows } = await client.query<{ ours: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended('audit.heads', 0)) as ours`,
    );
    if (!rows[0]?.ours) return undefined;
    const store = new TreeStore(client);
    const heads = new Heads(client, signer.name);
    const last = await heads.last().catch((error: unknown) => {
      if (error instanceof ChangedHead) return error;
      throw error;
    });
    if (last instanceof ChangedHead) {
      this.#report(last.message);
      return undefined;
    }
    const size = await store.size();
    if (last) {
      const difference = await this.#differenceFrom(last, store, size, complete);
      if (difference === 'not yet known') return undefined;
      this.#report(difference);
      if (difference !== undefined) return undefined;
      this.#size = last.size;
    } else {
      this.#report(undefined);
    }
    // In the future it is if the clock was set back, or the row was changed.
    const due = !last || Math.abs(Date.now() - last.signed) >= this.#everyMs;
    if (size === (last?.size ?? 0) || !due) return this.#given ? undefined : last;
    const root = await store.root(size);
    const note = signHead(signer, { size, root });
    await heads.add(size, note);
    if (performance.now() >= this.#thinAt) {
      await heads.thin();
      this.#thinAt = performance.now() + thinEveryMs;
    }
    this.#size = size;
    return { origin: signer.name, size, root, note, signed: Date.now() };
  }

  /** Why the tree does not go on from the last head; undefined if it does. */
  async #differenceFrom(
    last: Head,
    store: TreeStore,
    size: number,
    complete: boolean,
  ): Promise<string | undefined> {
    if (!isHeadSignedBy(last, verifierOf(this.#options.signer))) {
      return (
        `the last head of ${last.origin} was signed by another key: give all processes one AUDIT_KEY, or another ` +
        'AUDIT_ORIGIN to a new key; if the key is the same, the stored head was changed'
      );
    }
    const when = new Date(last.signed).toISOString();
    if (size < last.size) {
      if (!complete) return 'not yet known';
      return `the log has ${size} events, and the head signed at ${when} has ${last.size}: the log lost events`;
    }
    if (sameHash(await store.root(last.size), last.root)) return undefined;
    return `the first ${last.size} events of the log are not those of the head signed at ${when}: the log was changed`;
  }

  #report(fault: string | undefined): void {
    if (this.#fault === fault) return;
    const before = this.#fault;
    this.#fault = fault;
    if (fault === undefined) this.#logger.info({ before }, 'the log is the one that heads were signed for');
    else this.#logger.error({ reason: fault }, 'the audit found the log changed; no heads are signed');
  }
}
