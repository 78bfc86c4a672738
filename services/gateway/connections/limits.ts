import { maxReplayedEvents } from '../../pushes/push-store.ts';

/**
 * What a gateway accepts from one client, and from all. A pair of `…Burst` and `…PerSecond` is a token bucket:
 * its size, and its refill.
 */
export interface Limits {
  /** Open sockets on this gateway, of one person, and from one address. */
  readonly maxSockets: number;
  readonly maxSocketsPerUser: number;
  readonly maxSocketsPerAddress: number;
  readonly maxSubscriptionsPerSocket: number;
  /** Of one person over all their sockets: ten devices with 2,000 groups each, some 40 MB. */
  readonly maxSubscriptionsPerUser: number;
  /** Of the sockets of one address that have no user: two each for as many as may be open, some 80 MB. */
  readonly maxAnonymousSubscriptionsPerAddress: number;
  /** A client with more unread bytes is cut off: more than a reader with a usual network ever leaves. */
  readonly maxUnreadBytes: number;
  /** A client is cut off if frames wait for it and it reads nothing for this time. */
  readonly readTimeoutMs: number;
  /**
   * Bytes of the list of members that answers a subscription to a presence channel: a 64th of
   * `maxUnreadBytes`, and more than 2,000 members without an info.
   */
  readonly maxPresenceBytes: number;
  /** Frames of one client. */
  readonly frameBurst: number;
  readonly framesPerSecond: number;
  /** Bytes of these frames: a thousand subscriptions at once are some 400 KB. */
  readonly byteBurst: number;
  readonly bytesPerSecond: number;
  /**
   * Frames and bytes of all sockets of one address in each slice of 100 ms; the rest is read in later slices.
   * Reading a frame costs some 20 µs, and a megabyte some 2 ms.
   */
  readonly maxAddressFramesPerSlice: number;
  readonly maxAddressBytesPerSlice: number;
  /** Client events of one person. */
  readonly clientEventBurst: number;
  readonly clientEventsPerSecond: number;
  /** Bytes of these events: ten of the longest at once, and one a second. */
  readonly clientEventByteBurst: number;
  readonly clientEventBytesPerSecond: number;
  /** A client that sends nothing for this time gets a ping. In seconds, as the protocol has it. */
  readonly activityTimeoutSeconds: number;
  /** A client that sends nothing for this time after a ping is closed. */
  readonly pongTimeoutMs: number;
  /** If a client missed more events than this on a channel, they are not replayed: it loads afresh. */
  readonly maxReplayedEvents: number;
  /** From the closing of a person's last socket until friends are notified. */
  readonly offlineDelayMs: number;
  /** A gateway without a new heartbeat (one every 3 s) for this time is dead, and its users are offline. */
  readonly gatewayTimeoutMs: number;
}

export const defaultLimits: Limits = {
  maxSockets: 100_000,
  maxSocketsPerUser: 100,
  maxSocketsPerAddress: 20_000,
  maxSubscriptionsPerSocket: 1_000,
  maxSubscriptionsPerUser: 20_000,
  maxAnonymousSubscriptionsPerAddress: 40_000,
  maxUnreadBytes: 8_388_608,
  readTimeoutMs: 10_000,
  maxPresenceBytes: 131_072,
  frameBurst: 2_500,
  framesPerSecond: 200,
  byteBurst: 1_048_576,
  bytesPerSecond: 131_072,
  maxAddressFramesPerSlice: 1_000,
  maxAddressBytesPerSlice: 1_048_576,
  clientEventBurst: 10,
  clientEventsPerSecond: 10,
  clientEventByteBurst: 102_400,
  clientEventBytesPerSecond: 10_240,
  activityTimeoutSeconds: 30,
  pongTimeoutMs: 30_000,
  maxReplayedEvents,
  offlineDelayMs: 1_000,
  gatewayTimeoutMs: 12_000,
};
