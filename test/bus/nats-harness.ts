import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach } from 'vitest';
import type { PushRow } from '../../contracts/push/row.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { connectNatsBus } from '../../services/bus/nats.ts';
import type { Position } from '../../services/log/log.ts';
import type { NatsServer } from '../support/nats.ts';

const silent = pino({ level: 'silent' });

export const tick = (batch: number, fence = 1) => ({ checkpoint: String(batch) as Position, fence, batch });

export const row = (channel: string, number: number, data = '{}'): PushRow => ({
  channel,
  place: '1',
  number,
  event: 'message',
  data,
});

/** Opens buses over NATS under a fresh prefix, and closes them after each test of the file. */
export function useNatsBuses() {
  let prefix = '';
  const opened: Bus[] = [];

  afterEach(async () => {
    for (const bus of opened.splice(0)) await bus.close();
  });

  const open = async (server: Pick<NatsServer, 'url'>, installation = 'ours', logger = silent) => {
    const bus = await connectNatsBus({ url: server.url, prefix, installation, logger });
    opened.push(bus);
    return bus;
  };
  const freshPrefix = () => {
    prefix = `test-${randomUUID()}`;
    return prefix;
  };
  return {
    open,
    freshPrefix,
    /** The buses of two processes of one installation. */
    async pair(server: Pick<NatsServer, 'url'>) {
      freshPrefix();
      return [await open(server), await open(server)] as const;
    },
  };
}
