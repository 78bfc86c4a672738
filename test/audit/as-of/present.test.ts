import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readModelsVersion } from '../../../projections/rebuild/version.ts';
import { answerQuery } from '../../../services/api/past/query.ts';
import { answeredByPresent } from '../../../services/audit/as-of/present.ts';
import { parseQuery } from '../../../services/audit/as-of/query.ts';
import { type Moment, momentAt } from '../../../services/audit/moment.ts';
import { encode } from '../../../services/log/codec.ts';
import { skipStream } from '../../../services/log/skips.ts';
import { type RunningApplication, serverKey } from '../../support/application.ts';
import { startApplicationOnStore } from '../../support/application-on-store.ts';
import { pastParts } from '../../support/asking-the-past.ts';
import { three } from '../../support/client.ts';
import { momentAfterPosition } from '../../support/explaining.ts';
import { newEventId } from '../../support/projecting.ts';
import { sayVersionOfReadModels } from '../../support/read-models-version.ts';

let running: RunningApplication;
let query: string;

/** Answers the query at a moment. @returns the answer, and whether read models were made for it */
async function ask(moment: Moment): Promise<{ answer: string; made: boolean }> {
  const onApplied = vi.fn();
  const parts = pastParts(running.application, { onApplied });
  const answer = await answerQuery(parts, parseQuery(query.split(' ')), moment);
  return { answer, made: onApplied.mock.calls.length > 0 };
}

const end = async () => momentAfterPosition(running, await running.application.log.end());

describe.each(['Postgres', 'EventStoreDB'])('of a log in %s', (store) => {
  const isEventStore = store === 'EventStoreDB';
  beforeAll(async () => {
    running = await startApplicationOnStore(isEventStore);
  });
  afterAll(() => running.stop());
  beforeEach(async () => {
    const [tom] = await three(running);
    query = `pop/get --login_uid ${tom.uid}`;
    await running.shown();
    await sayVersionOfReadModels(running, await readModelsVersion());
  });

  test('what the present read models show is answered from them, as the API does and as others would', async () => {
    const { payload } = await running.server.inject({
      url: `/api/${query.replace(' --', '?').replace(' ', '=')}`,
      headers: serverKey,
    });
    expect(await ask(await end())).toEqual({ answer: payload, made: false });
    // The clock of EventStoreDB may go back: a time does not tell which events are earlier.
    const byTime = await ask(momentAt(Date.now(), Date.now()));
    expect(byTime).toEqual({ answer: payload, made: isEventStore });
    await sayVersionOfReadModels(running, 'another version');
    expect(await ask(await end())).toEqual({ answer: payload, made: true });
  });

  test('read models are made of a moment before the last event', async () => {
    const before = await end();
    const past = momentAt(Date.now(), Date.now());
    const { answer } = await ask(before);
    await vi.waitUntil(() => Date.now() > past.time);
    await three(running);
    await running.shown();
    expect(await ask(before)).toEqual({ answer, made: true });
    expect(await ask(past)).toEqual({ answer, made: true });
  });

  test('read models are made if something was committed to the present ones meanwhile', async () => {
    const { log, pool } = running.application;
    const options = { queries: pool, log, moment: await end(), version: readModelsVersion };
    expect(await answeredByPresent(options, async (schema) => schema)).toEqual({ result: 'read' });
    const answered = await answeredByPresent(options, async () => {
      await three(running);
      await running.shown();
    });
    expect(answered).toBeUndefined();
  });

  test('read models are made once an event was skipped, which the present ones may still show', async () => {
    const { log } = running.application;
    const id = newEventId();
    const data = { stream: 'user-1', eventId: id, revision: 9, type: 'ProfileChanged', why: 'a test' };
    const metadata = { time: Date.now(), actor: 'server', $correlationId: id, $causationId: id };
    await log.append(skipStream, 'any', [encode(id, { type: 'EventSkipped', data }, metadata)]);
    await running.shown();
    expect((await ask(await end())).made).toBe(true);
  });
});
