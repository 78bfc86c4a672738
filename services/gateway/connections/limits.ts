import { maxReplayedEvents } from '../../pushes/record.ts';

/** What a gateway bears of one client, and of all. Times in milliseconds. */
export interface Limits {
  /** Sockets on this gateway, of one person, from one address. */
  readonly sockets: number;
  readonly socketsOfUser: number;
  readonly socketsOfAddress: number;
  readonly subscriptionsOfSocket: number;
  /** A client that leaves more bytes than this unread is cut off: more than a reader with a usual network ever does. */
  readonly waitingBytes: number;
  /** And one for which something waits, and that reads nothing of it for so long. */
  readonly readerPatience: number;
  /**
   * Of a presence channel's members so many bytes are told when a client subscribes: a
   * 64th of what a client may leave unread, and more than 2,000 members without an info.
   */
  readonly presenceBytes: number;
  /** Frames of one client: so many at once, and so many a second in the long run. */
  readonly framesAtOnce: number;
  readonly framesEachSecond: number;
  /** Bytes of these frames, likewise: a thousand subscriptions at once are some 400 KB. */
  readonly bytesAtOnce: number;
  readonly bytesEachSecond: number;
  /**
   * Frames, and their bytes, of all sockets of one address in each tenth of a second; what is beyond is read
   * later. Taking a frame in costs some 20 µs, and a megabyte some 2 ms.
   */
  readonly framesOfAddress: number;
  readonly bytesOfAddress: number;
  /** Client events of one person: so many at once, and so many a second in the long run. */
  readonly clientEventsAtOnce: number;
  readonly clientEventsEachSecond: number;
  /** Bytes of these events, likewise: ten of the longest at once, and one a second. */
  readonly clientEventBytesAtOnce: number;
  readonly clientEventBytesEachSecond: number;
  /** A client silent for so long is asked, in whole seconds as the protocol has it. */
  readonly activitySeconds: number;
  /** And closed where it does not answer in time. */
  readonly pongTimeout: number;
  /** More events than this on a channel are not replayed: the client loads afresh. */
  readonly replayedEvents: number;
  /** Offline is told so long after the last socket closed. */
  readonly offlineAfter: number;
  /** A gateway whose heartbeats, one every 3 s, were not seen for so long is dead: its people are offline. */
  readonly gatewaySilence: number;
}

export const defaultLimits: Limits = {
  sockets: 100_000,
  socketsOfUser: 100,
  socketsOfAddress: 20_000,
  subscriptionsOfSocket: 1_000,
  waitingBytes: 8_388_608,
  readerPatience: 10_000,
  presenceBytes: 131_072,
  framesAtOnce: 2_500,
  framesEachSecond: 200,
  bytesAtOnce: 1_048_576,
  bytesEachSecond: 131_072,
  framesOfAddress: 1_000,
  bytesOfAddress: 1_048_576,
  clientEventsAtOnce: 10,
  clientEventsEachSecond: 10,
  clientEventBytesAtOnce: 102_400,
  clientEventBytesEachSecond: 10_240,
  activitySeconds: 30,
  pongTimeout: 30_000,
  replayedEvents: maxReplayedEvents,
  offlineAfter: 1_000,
  gatewaySilence: 12_000,
};
