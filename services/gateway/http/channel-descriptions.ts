import type { Occupancy } from '../presence/occupancy.ts';
import type { PresenceChannelStore } from '../presence/presence-channel-store.ts';
import type { ChannelAttributes } from './server-requests.ts';

/** Describes channels to other backends: whether they are occupied, and the attributes asked for. */
export class ChannelDescriptions {
  readonly #occupancy: Occupancy;
  readonly #presenceChannelStore: PresenceChannelStore;

  constructor(occupancy: Occupancy, presenceChannelStore: PresenceChannelStore) {
    this.#occupancy = occupancy;
    this.#presenceChannelStore = presenceChannelStore;
  }

  /** Describes one channel. `user_count` is given for presence channels only. @throws what the database throws. */
  async describe(channel: string, { users, subscriptions }: ChannelAttributes): Promise<object> {
    const count = (await this.#occupancy.count(channel)).get(channel) ?? 0;
    const userCount =
      users && channel.startsWith('presence-')
        ? ((await this.#presenceChannelStore.count([channel])).get(channel) ?? 0)
        : undefined;
    return {
      occupied: count > 0,
      ...(userCount === undefined ? {} : { user_count: userCount }),
      ...(subscriptions ? { subscription_count: count } : {}),
    };
  }

  /** Describes channels by their names; undefined if no attribute is asked for. @throws what the database throws. */
  async describeAll(
    channels: readonly string[],
    attributes: ChannelAttributes,
  ): Promise<Record<string, object> | undefined> {
    if (!attributes.users && !attributes.subscriptions) return undefined;
    const described = await Promise.all(
      channels.map(async (channel) => [channel, await this.describe(channel, attributes)] as const),
    );
    return Object.fromEntries(described);
  }

  /** The occupied channels whose names begin with `prefix`, with their attributes. @throws what the database throws. */
  async occupied(
    prefix: string,
    { users, subscriptions }: ChannelAttributes,
  ): Promise<Record<string, object>> {
    const counts = await this.#occupancy.count(prefix);
    const userCounts = users
      ? await this.#presenceChannelStore.count([...counts.keys()])
      : new Map<string, number>();
    return Object.fromEntries(
      [...counts].map(([channel, count]) => [
        channel,
        {
          ...(users ? { user_count: userCounts.get(channel) ?? 0 } : {}),
          ...(subscriptions ? { subscription_count: count } : {}),
        },
      ]),
    );
  }
}
