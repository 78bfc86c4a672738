import { expect, onTestFinished, test } from 'vitest';
import { originFinder } from '../../../services/audit/explain/origin-finder.ts';
import { createPool } from '../../../services/postgres/pool.ts';
import { readDatabase } from '../../../services/queries/tables.ts';
import { auditedLogs } from '../../support/auditing.ts';
import { between, mid, sent } from '../../support/events.ts';
import { newEventId, silent } from '../../support/projecting.ts';

test.each(auditedLogs)('a message that the read models lack is found in the log (%s)', async (_, open) => {
  const world = await open();
  const pool = createPool(world.url, silent);
  onTestFinished(async () => {
    await pool.end();
    await world.close();
  });
  const id = newEventId();
  await world.append(sent(between(1, 2), 1, 10, 'not projected'), { id });
  const find = originFinder(readDatabase(pool), world.log);
  expect(await find(mid(10))).toEqual({ mid: mid(10), conversation: between(1, 2), eventId: id });
  expect(await find(mid(11))).toBeUndefined();
});
