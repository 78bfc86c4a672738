import type { PushRow } from '../../../contracts/push/row.ts';
import { escapesFrom } from '../../../contracts/push/setting.ts';
import type { Checkpoint, PushRecord } from '../../pushes/record.ts';
import type { Audit } from '../subscriptions/audit.ts';
import type { Chats } from '../subscriptions/chats.ts';
import type { Membership, Memberships } from '../subscriptions/memberships.ts';
import type { Rooms } from '../subscriptions/rooms.ts';
import type { TailReader } from '../subscriptions/tail.ts';
import type { Subscriber } from './subscriber.ts';

const mostAtOnce = 5_000;

/** Gives the log's pushes to those who may hear them at that place of the log (docs/realtime.md, "What is promised"). */
export class Delivery implements TailReader {
  readonly #rooms: Rooms;
  readonly #memberships: Memberships;
  readonly #subscriber: Pick<Subscriber, 'membershipChanged'>;
  readonly #record: PushRecord;
  readonly #audit: Audit;
  readonly #chats: Pick<Chats, 'heard' | 'judgeAll'>;
  readonly #onMissed: () => void;
  readonly #onRestored: () => void;
  /** Whether the setting `escape_html` is on at the place that is given out. */
  #escapes = false;

  constructor(options: {
    rooms: Rooms;
    memberships: Memberships;
    subscriber: Pick<Subscriber, 'membershipChanged'>;
    record: PushRecord;
    audit: Audit;
    chats: Pick<Chats, 'heard' | 'judgeAll'>;
    /** Signals may have been missed too. */
    onMissed(): void;
    onRestored(): void;
  }) {
    this.#rooms = options.rooms;
    this.#memberships = options.memberships;
    this.#subscriber = options.subscriber;
    this.#record = options.record;
    this.#audit = options.audit;
    this.#chats = options.chats;
    this.#onMissed = options.onMissed;
    this.#onRestored = options.onRestored;
  }

  begin({ escapes }: Checkpoint): void {
    this.#escapes = escapes;
  }

  /**
   * Rows that follow each other on one feed go out as one piece. A change of membership holds for
   * its whole place: who joined hears the rest of what that event gives, who was removed none of it.
   */
  take(rows: readonly PushRow[]): void {
    let piece: PushRow[] = [];
    let place: string | undefined;
    for (const [index, row] of rows.entries()) {
      if (row.place !== place) {
        place = row.place;
        const changes = this.#changesFrom(rows, index);
        if (changes.length > 0) {
          this.#rooms.giveRows(piece, this.#escapes);
          piece = [];
        }
        for (const { membership, member } of changes) {
          membership.asOf = place;
          this.#subscriber.membershipChanged(membership, member);
        }
      }
      if (piece[0] !== undefined && piece[0].channel !== row.channel) {
        this.#rooms.giveRows(piece, this.#escapes);
        piece = [];
      }
      piece.push(row);
      // The piece is of the global feed then, which has no texts of people.
      this.#escapes = escapesFrom(row) ?? this.#escapes;
      this.#chats.heard(row);
    }
    this.#rooms.giveRows(piece, this.#escapes);
  }

  reached(): void {
    this.#audit.wake();
  }

  /** Who is no member any more hears nothing of what is given late. @throws what the database throws. */
  async missed(): Promise<void> {
    this.#onMissed();
    const all = [...this.#memberships.all()];
    for (let start = 0; start < all.length; start += mostAtOnce) {
      await this.#recheck(all.slice(start, start + mostAtOnce));
    }
  }

  restored(): void {
    this.#onRestored();
  }

  #changesFrom(rows: readonly PushRow[], start: number): { membership: Membership; member: boolean }[] {
    const changes = [];
    const place = rows[start]?.place;
    for (let index = start; rows[index]?.place === place; index++) {
      const row = rows[index];
      const change = row && this.#memberships.changedBy(row);
      if (change !== undefined) changes.push(change);
      if (row === undefined) break;
    }
    return changes;
  }

  async #recheck(memberships: readonly Membership[]): Promise<void> {
    const { checkpoint, found } = await this.#record.memberships(
      memberships.map(({ uid }) => uid),
      memberships.map(({ gid }) => gid),
    );
    for (const [index, membership] of memberships.entries()) {
      const gone = found[index]?.joinedPlace === undefined;
      if (!gone || membership.asOf === '' || membership.asOf >= checkpoint.position) continue;
      membership.asOf = checkpoint.position;
      this.#subscriber.membershipChanged(membership, false);
    }
  }
}
