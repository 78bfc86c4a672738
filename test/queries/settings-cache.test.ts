import { afterAll, expect, onTestFinished, test } from 'vitest';
import { defaultSettings } from '../../contracts/settings.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import type { Position } from '../../services/log/log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { SettingsCache } from '../../services/queries/settings-cache.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { silent } from '../support/accounts.ts';
import { createDatabase } from '../support/database.ts';

const { url, drop } = await createDatabase();
const pool = createPool(url, silent);
const bus = memoryBus(silent);
afterAll(async () => {
  await bus.close();
  await pool.end();
  await drop();
});

const setTokenDays = (days: number) =>
  pool.query(
    `insert into read.settings values ('token_days', $1)
     on conflict (name) do update set value = excluded.value`,
    [String(days)],
  );
const announce = () => {
  const row = { channel: 'global', place: '1', number: 0, event: 'settingChange', data: '{}' };
  bus.publish({ checkpoint: '1' as Position, fence: 1, batch: 1 }, [row]);
};

async function open(refreshMs: number): Promise<SettingsCache> {
  const cache = await SettingsCache.open({ database: readDatabase(pool), bus, logger: silent, refreshMs });
  onTestFinished(() => cache.stop());
  return cache;
}

test('the settings of a gateway alone are read when a change is announced, and not before', async () => {
  const cache = await open(3_600_000);
  expect(cache.settings.token_days).toBe(defaultSettings.token_days);
  await setTokenDays(7);
  expect(cache.settings.token_days).toBe(defaultSettings.token_days);
  announce();
  await expect.poll(() => cache.settings.token_days).toBe(7);
});

test('the settings of a gateway alone are right within the refresh time if the bus lost the change', async () => {
  const cache = await open(50);
  await setTokenDays(8);
  await expect.poll(() => cache.settings.token_days).toBe(8);
});
