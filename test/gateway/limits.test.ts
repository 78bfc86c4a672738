import { expect, test } from 'vitest';
import { defaultLimits } from '../../services/gateway/connections/limits.ts';

test('the limits of sockets, people and addresses are those on the page of limits', () => {
  expect(defaultLimits).toEqual({
    ...{ maxSockets: 100_000, maxSocketsPerUser: 100, maxSocketsPerAddress: 20_000 },
    ...{ maxSubscriptionsPerSocket: 1_000, maxSubscriptionsPerUser: 20_000 },
    ...{ maxAnonymousSubscriptionsPerAddress: 40_000, maxReplayedEvents: 1_000 },
    ...{ maxUnreadBytes: 8_388_608, readTimeoutMs: 10_000, maxPresenceBytes: 131_072 },
    ...{ frameBurst: 2_500, framesPerSecond: 200, byteBurst: 1_048_576, bytesPerSecond: 131_072 },
    ...{ maxAddressFramesPerSlice: 1_000, maxAddressBytesPerSlice: 1_048_576 },
    ...{ clientEventBurst: 10, clientEventsPerSecond: 10 },
    ...{ clientEventByteBurst: 102_400, clientEventBytesPerSecond: 10_240 },
    ...{ activityTimeoutSeconds: 30, pongTimeoutMs: 30_000, offlineDelayMs: 1_000, gatewayTimeoutMs: 12_000 },
  });
});
