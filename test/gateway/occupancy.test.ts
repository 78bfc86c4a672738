import { describe, expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { connectNatsBus } from '../../services/bus/nats.ts';
import { Occupancy } from '../../services/gateway/presence/occupancy.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { silent } from '../support/accounts.ts';
import { createDatabase } from '../support/database.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';

/** More names, of the greatest length, than one message of NATS holds. */
const manyChannels = Array.from({ length: 6_000 }, (_, number) => `${number}`.padStart(200, 'channel-'));

/** Two gateways whose sockets have subscriptions to these channels. @returns the first one's counting */
async function twoGateways(buses: readonly [Bus, Bus], occupied: readonly (readonly string[])[]) {
  const { url, drop } = await createDatabase();
  const database = createPool(url, silent);
  const gateways = buses.map((bus, index) => {
    const names = occupied[index] ?? [];
    const hub = { occupied: () => names.map((name) => [name, 1] as const).values() };
    return new Occupancy({ bus, database, hub, gateway: `gateway-${index}` });
  });
  onTestFinished(async () => {
    for (const gateway of gateways) gateway.stop();
    await database.end();
    await drop();
  });
  await database.query(
    `insert into presence.gateways (gateway, seen, beats) values ('gateway-0', now(), 1), ('gateway-1', now(), 1)`,
  );
  for (const bus of buses) await bus.settled();
  return (prefix: string) => gateways[0]?.count(prefix);
}

describe('the subscriptions of all gateways', () => {
  test('are added up, of the channels whose names begin with the prefix', async () => {
    const bus = memoryBus(silent);
    const count = await twoGateways(
      [bus, bus],
      [
        ['a-1', 'a-2'],
        ['a-2', 'b-1'],
      ],
    );
    expect(await count('a-')).toEqual(
      new Map([
        ['a-1', 1],
        ['a-2', 2],
      ]),
    );
    expect(await count('c-')).toEqual(new Map());
  });

  test.skipIf(!natsServerIsInstalled)(
    'are all counted, of more channels than one message of NATS holds (needs nats-server)',
    async () => {
      const nats = await natsServer();
      await nats.start();
      onTestFinished(() => nats.kill());
      const open = async () => {
        const bus = await connectNatsBus({ url: nats.url, installation: 'ours', logger: silent });
        onTestFinished(() => bus.close());
        return bus;
      };
      const count = await twoGateways([await open(), await open()], [['channel-own'], manyChannels]);
      const found = await count('channel-');
      // Printed whole, a map of some thousand names is too long to read.
      expect(found?.size).toBe(1 + manyChannels.length);
      expect(['channel-own', ...manyChannels].filter((name) => found?.get(name) !== 1)).toEqual([]);
    },
  );
});
