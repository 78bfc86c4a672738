import { expect, test } from 'vitest';
import type { z } from 'zod';
import { ChannelName, EventName } from '../../contracts/push/protocol.ts';
import { Batch, Events } from '../../contracts/push/server-calls.ts';

const event = { name: 'called', channel: 'news', data: '' };
const channels = (count: number) => Array.from({ length: count }, (_, index) => `news-${index}`);

test.each<[string, z.ZodType, (size: number) => unknown, number]>([
  ['characters of a channel’s name', ChannelName, (size) => 'x'.repeat(size), 200],
  ['characters of an event’s name', EventName, (size) => 'x'.repeat(size), 200],
  ['bytes of an event’s data', Events, (size) => ({ ...event, data: 'x'.repeat(size) }), 102_400],
  ['channels of an event', Events, (size) => ({ name: 'called', channels: channels(size), data: '' }), 100],
  ['events of a batch', Batch, (size) => ({ batch: channels(size).map(() => event) }), 100],
])('%s are limited', (_, schema, sized, max) => {
  expect(schema.safeParse(sized(max))).toMatchObject({ success: true });
  expect(schema.safeParse(sized(max + 1))).toMatchObject({ success: false });
});
