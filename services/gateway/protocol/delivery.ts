import type { PushRow } from '../../../contracts/push/row.ts';
import { escapesFrom } from '../../../contracts/push/setting.ts';
import type { Checkpoint } from '../../pushes/checkpoint.ts';
import type { PushStore } from '../../pushes/push-store.ts';
import type { AuditChannel } from '../subscriptions/audit-channel.ts';
import type { ChatChannels } from '../subscriptions/chat-channels.ts';
import type { GroupMemberships, Membership } from '../subscriptions/group-memberships.ts';
import type { Hub } from '../subscriptions/hub.ts';
import type { PushFeedReader } from '../subscriptions/push-feed-reader.ts';
import type { Subscriber } from './subscriber.ts';

/** Memberships are read again in queries of up to this number. */
const maxPerQuery = 5_000;

export interface DeliveryOptions {
  readonly hub: Hub;
  readonly memberships: GroupMemberships;
  readonly subscriber: Pick<Subscriber, 'membershipChanged'>;
  readonly pushStore: PushStore;
  readonly audit: AuditChannel;
  readonly chatChannels: Pick<ChatChannels, 'onRow'>;
  /** The bus may have lost signals too. */
  onGap(): void;
  onRestored(): void;
}

/** Delivers the log's pushes to those who may get them at that position of the log (docs/realtime.md, "What is promised"). */
export class Delivery implements PushFeedReader {
  readonly #options: DeliveryOptions;
  /** Whether the setting `escape_html` is on at the position that is being delivered. */
  #escapes = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  begin({ escapes }: Checkpoint): void {
    this.#escapes = escapes;
  }

  /**
   * Consecutive rows of one feed are delivered together. A change of membership applies to all pushes of its event:
   * somebody who joins gets the others of them, somebody who is removed gets none.
   */
  deliver(rows: readonly PushRow[]): void {
    const { hub, subscriber, chatChannels } = this.#options;
    let pending: PushRow[] = [];
    let position: string | undefined;
    for (const [index, row] of rows.entries()) {
      if (row.place !== position) {
        position = row.place;
        const changes = this.#changesFrom(rows, index);
        if (changes.length > 0) {
          hub.deliverRows(pending, this.#escapes);
          pending = [];
        }
        for (const { membership, member } of changes) {
          membership.asOf = position;
          subscriber.membershipChanged(membership, member);
        }
      }
      if (pending[0] !== undefined && pending[0].channel !== row.channel) {
        hub.deliverRows(pending, this.#escapes);
        pending = [];
      }
      pending.push(row);
      // If the setting changes here, the pending rows are of the global feed, which has no texts of people.
      this.#escapes = escapesFrom(row) ?? this.#escapes;
      chatChannels.onRow(row);
    }
    hub.deliverRows(pending, this.#escapes);
  }

  advanced(): void {
    this.#options.audit.wake();
  }

  /** Reads all memberships again, so that nobody who has left gets missed pushes. @throws what the database throws. */
  async gapFound(): Promise<void> {
    this.#options.onGap();
    const all = [...this.#options.memberships.all()];
    for (let start = 0; start < all.length; start += maxPerQuery) {
      await this.#recheck(all.slice(start, start + maxPerQuery));
    }
  }

  logRestored(): void {
    this.#options.onRestored();
  }

  /** The changes of membership by the event whose first row is at `start`. */
  #changesFrom(rows: readonly PushRow[], start: number): { membership: Membership; member: boolean }[] {
    const changes = [];
    const position = rows[start]?.place;
    for (let index = start; rows[index]?.place === position; index++) {
      const row = rows[index];
      const change = row && this.#options.memberships.changedBy(row);
      if (change !== undefined) changes.push(change);
      if (row === undefined) break;
    }
    return changes;
  }

  async #recheck(memberships: readonly Membership[]): Promise<void> {
    const { pushStore, subscriber } = this.#options;
    const { checkpoint, found } = await pushStore.memberships(
      memberships.map(({ uid }) => uid),
      memberships.map(({ gid }) => gid),
    );
    for (const [index, membership] of memberships.entries()) {
      const gone = found[index]?.joinedPosition === undefined;
      if (!gone || membership.asOf === '' || membership.asOf >= checkpoint.position) continue;
      membership.asOf = checkpoint.position;
      subscriber.membershipChanged(membership, false);
    }
  }
}
