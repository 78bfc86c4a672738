import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { Refusal } from '../../contracts/codes.ts';
import { readModelCategories } from '../../contracts/events/index.ts';
import type { Uid } from '../../contracts/ids.ts';
import { freeNames } from '../accounts/deleted-accounts.ts';
import { friendshipStream, partForGood } from '../domain/friendship.ts';
import { groupStream } from '../domain/group.ts';
import { departForGood } from '../domain/group-departure.ts';
import { completeDeletion, userStream } from '../domain/user.ts';
import { decode } from '../log/codec.ts';
import type { Position } from '../log/log.ts';
import { type Deletion, findDeletions, findTies, type Ties } from '../queries/ties.ts';
import type { CommandContext } from './context.ts';
import { type Executed, execute } from './execute.ts';
import type { CommandParts } from './parts.ts';

/** Friendships and groups that are looked up, and ended, at once. */
const maxTiesRead = 500;
const maxTiesAtOnce = 20;

/** Deletions that one sweep goes on with. */
const maxDeletionsSwept = 1_000;

/** How long a step waits for the read models to show the one before; the next sweep goes on if they do not. */
const shownTimeoutMs = 2_000;

/** How often unfinished deletions are looked for. */
const sweepMs = 30_000;

/**
 * After this time no command is under way any more that may have seen the account before its deletion: a command waits
 * for its turn, and decides again after conflicts, for 5 s each.
 */
const settledSeconds = 60;

interface Parts extends Pick<CommandParts, 'log' | 'store' | 'database' | 'tokens'> {
  readonly progress: { confirmed(position: Position, timeoutMs: number): Promise<boolean> };
  readonly now: () => number;
  readonly logger: Logger;
  /** Whether commands are carried out just now. */
  readonly isReady: () => boolean;
}

/**
 * Carries deletions of accounts out. AccountDeleted decides; what follows from it happens in many streams and in the
 * accounts' tables, each step of which may be repeated. So each process that finds a deletion under way goes on with it: the
 * process that began it, a repeat of the call, or any process later, if that one was killed.
 */
export class AccountDeletions {
  readonly #parts: Parts;
  readonly #running = new Map<Uid, Promise<Position>>();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Goes on with unfinished deletions now and every 30 s. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setInterval(() => void this.sweep(), sweepMs).unref();
    void this.sweep();
  }

  /** Stops after the steps under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#sweeping;
    await Promise.allSettled(this.#running.values());
  }

  /**
   * Ends the sessions of a deleted person, and frees their names.
   * @throws what the database throws
   */
  async freeNames(uid: Uid): Promise<void> {
    await this.#parts.tokens.endAll(uid, (transaction) => freeNames(transaction, [uid]));
  }

  /**
   * Ends every friendship, membership, application and invitation of a deleted person.
   * @returns the position that shows the ends
   * @throws Refusal notReady if the read models do not follow; what the log and the database throw
   */
  endTies(uid: Uid): Promise<Position> {
    const running = this.#running.get(uid) ?? this.#endTies(uid).finally(() => this.#running.delete(uid));
    this.#running.set(uid, running);
    return running;
  }

  /** Goes on with every deletion under way, and completes those that are settled. */
  async sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) =>
        this.#parts.logger.warn({ err: error }, 'unfinished deletions of accounts could not be found'),
      )
      .finally(() => {
        this.#sweeping = undefined;
      });
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { database, logger, isReady } = this.#parts;
    if (this.#closed || !isReady()) return;
    for (const deletion of await findDeletions(database, maxDeletionsSwept)) {
      if (this.#closed) return;
      // A stream that cannot be read keeps one deletion open, and no other.
      await this.#continue(deletion).catch((error: unknown) =>
        logger.warn({ err: error, uid: deletion.uid }, 'the deletion of an account could not be continued'),
      );
    }
  }

  async #continue({ uid, begun }: Deletion): Promise<void> {
    await this.freeNames(uid);
    await this.endTies(uid);
    if (this.#parts.now() / 1000 - begun >= settledSeconds) await this.#complete(uid);
  }

  async #endTies(uid: Uid): Promise<Position> {
    const { log, database, progress, logger } = this.#parts;
    const context = await this.#contextOf(uid);
    let last = await log.end(readModelCategories);
    for (;;) {
      if (!(await progress.confirmed(last, shownTimeoutMs))) throw new Refusal('notReady');
      const ties = await findTies(database, uid, maxTiesRead);
      if (this.#closed || context === undefined || ties.people.length + ties.groups.length === 0) return last;
      const positions = await this.#end(uid, ties, context);
      if (positions.length === 0) {
        logger.warn({ uid, ...ties }, 'the read models show what a deleted person has no more');
        return last;
      }
      for (const position of positions) if (position > last) last = position;
    }
  }

  /** Ends some ties. @returns the positions of what had to be ended */
  async #end(uid: Uid, { people, groups }: Ties, context: CommandContext): Promise<Position[]> {
    const parts = this.#parts;
    const limit = pLimit(maxTiesAtOnce);
    const done: Promise<Executed<unknown>>[] = [
      ...people.map((friend) =>
        limit(() =>
          execute(parts, friendshipStream(uid, friend), context, (state) =>
            partForGood(state, { by: uid, friend }),
          ),
        ),
      ),
      ...groups.map((gid) =>
        limit(() => execute(parts, groupStream(gid), context, (state) => departForGood(state, { uid }))),
      ),
    ];
    // All of them end before the caller goes on, also if one fails.
    await Promise.allSettled(done);
    const ended = await Promise.all(done);
    return ended.flatMap(({ events, position }) => (events.length > 0 ? [position] : []));
  }

  /** A deletion is complete if nothing is left of the person after every command that knew them. */
  async #complete(uid: Uid): Promise<void> {
    const { database } = this.#parts;
    const context = await this.#contextOf(uid);
    const { people, groups } = await findTies(database, uid, 1);
    if (context === undefined || people.length + groups.length > 0) return;
    await execute(this.#parts, userStream(uid), context, completeDeletion);
  }

  /** In whose name the rest is done: that of the deletion, which is its cause. Undefined if the log does not have it. */
  async #contextOf(uid: Uid): Promise<CommandContext | undefined> {
    const { log, now } = this.#parts;
    for await (const record of log.readStream(userStream(uid).name)) {
      if (record.type !== 'AccountDeleted') continue;
      const { key, address, $correlationId } = decode(record).metadata;
      const origin = { ...(key !== undefined && { key }), ...(address !== undefined && { address }) };
      return {
        ...{ actor: 'server', origin, correlationId: $correlationId, causationId: record.id },
        ...{ time: now(), generation: log.generation },
      };
    }
    return undefined;
  }
}
