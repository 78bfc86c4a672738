import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { Client, Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DomainEvent } from '../../../contracts/events/index.ts';
import { startAuditor } from '../../../services/audit/auditor.ts';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { compareIndex, type IndexDifference } from '../../../services/audit/index/compare-index.ts';
import { makeIndexAgain } from '../../../services/audit/index/make-again.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { isAsItWas } from '../../../services/audit/tree/verified.ts';
import { verifiedInLines } from '../../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../../services/audit/tree/verify-log.ts';
import { skipEvent } from '../../../services/commands/skip-event.ts';
import { appendInOrder, type OrderedAppend } from '../../../services/log/append-in-order.ts';
import { encode } from '../../../services/log/codec.ts';
import type { EventId } from '../../../services/log/log.ts';
import { audit, consumers, signer } from '../../support/audited-tree.ts';
import { type AuditedLog, openEventStoreDB, openEventStoreDBAt } from '../../support/auditing.ts';
import { between, revoked, sent } from '../../support/events.ts';
import { newEventId, silent, streamOf, testTime } from '../../support/projecting.ts';
import { appendUnder } from '../../support/repeated-ids.ts';

const url = process.env.EVENTSTORE_URL;

/** A log, and an append under an id that the stream has: with this revision the store compares no older ids. */
interface Place {
  readonly world: AuditedLog;
  readonly appendUnder: (id: EventId, event: DomainEvent) => Promise<void>;
}

const metadata = { time: testTime, actor: 'server', $correlationId: 'later', $causationId: 'later' };

async function inDouble() {
  const world = await openEventStoreDB();
  return {
    world,
    appendUnder: (id: EventId, event: DomainEvent) => appendUnder(world, id, event),
  };
}

async function inServer(at: string): Promise<Place> {
  const world = await openEventStoreDBAt(at);
  return {
    world,
    async appendUnder(id, event) {
      const client = EventStoreDBClient.connectionString(at);
      onTestFinished(() => client.dispose());
      const { type, data, metadata: written } = encode(id, event, metadata);
      const appended = jsonEvent({ id, type, data: { ...data }, metadata: { ...written } });
      await client.appendToStream(`${world.streamPrefix}${streamOf(event)}`, appended, {
        expectedRevision: 1n,
      });
    },
  };
}

const places: readonly [string, () => Promise<Place>][] = [
  ['EventStoreDB (a double)', inDouble],
  ...(url ? [['EventStoreDB at EVENTSTORE_URL', () => inServer(url)] satisfies [string, unknown]] : []),
];

const talk = between(1, 2);
const stream = 'conversation-f1-2';
/** Such as a call makes of a name. */
const namedId = '6c1c6ac1-6f8a-5c39-9d6a-0f6a9a8e2b11' as EventId;

/** Messages of two others. */
function* otherMessages(count: number): Generator<OrderedAppend> {
  for (let mid = 1_000; mid < 1_000 + count; mid++) {
    const event = sent(between(3, 4), 3, mid, 'x');
    yield { stream: streamOf(event), events: [encode(newEventId(), event, metadata)] };
  }
}

/** Signs heads, as every process of an installation that audits does, until the test ends. */
function sign({ log }: AuditedLog, database: Pool): HeadSigning {
  const signing = new HeadSigning({
    ...{ log, database, signer, follower: auditorName, logger: silent, everyMs: 20 },
  });
  signing.start();
  onTestFinished(() => signing.stop());
  return signing;
}

describe.each(places)('npm run verify of a log in %s with two events of one id', (_name, open) => {
  let world: AuditedLog;
  let appendUnder: Place['appendUnder'];
  let pool: Pool;
  beforeEach(async () => {
    ({ world, appendUnder } = await open());
    pool = new Pool({ connectionString: world.url });
  });
  afterEach(async () => {
    await pool.end();
    await world.close();
  });

  const verify = () => verifyLog({ log: world.log, database: pool, origin: signer.name });

  async function appendTwice(id: EventId, first: DomainEvent, later: DomainEvent): Promise<void> {
    await world.append(first, { id });
    await world.append(sent(talk, 2, 11, '乙'));
    await appendUnder(id, later);
  }

  test('is silent about what an append leaves that was tried again', async () => {
    await appendTwice(newEventId(), sent(talk, 1, 10, '甲'), sent(talk, 1, 10, '甲'));
    await audit(world);
    const verified = await verify();
    expect(verified).toMatchObject({ size: 2, audited: 2, falseRepeats: [] });
    expect(isAsItWas(verified)).toBe(true);
  });

  test('is silent about a message that was sent again with its uniqueId, which was given another mid', async () => {
    const unique = { uniqueId: 'u', contentHash: 'x' };
    await appendTwice(namedId, sent(talk, 1, 10, '甲', unique), sent(talk, 1, 12, '甲', unique));
    expect(isAsItWas(await verify())).toBe(true);
  });

  test.each<[string, DomainEvent, EventId]>([
    ['other data', sent(talk, 1, 10, '丙'), newEventId()],
    ['another sender', sent(talk, 2, 10, '甲', { uniqueId: 'u', contentHash: 'x' }), namedId],
    ['another type', revoked(talk, 1, 10, 1), newEventId()],
  ])('names the later one if it has %s, until it is skipped', async (_what, later, id) => {
    const unique = id === namedId ? { uniqueId: 'u', contentHash: 'x' } : {};
    await appendTwice(id, sent(talk, 1, 10, '甲', unique), later);
    for (const when of ['not audited', 'audited']) {
      if (when === 'audited') await audit(world);
      const verified = await verify();
      expect(isAsItWas(verified)).toBe(false);
      const [line, rest] = verifiedInLines(verified);
      expect(line).toMatch(
        new RegExp(
          `^ID REPEATED: ${stream}@2 \\(${later.type}, recorded .*Z\\) has the id of ${stream}@0, and is not the same: `,
        ),
      );
      // It stops nothing, so that `skip` asks for --force.
      expect(line).toMatch(/npm run skip -- \S+ --force --why "…"$/);
      expect(rest).toMatch(/^Otherwise the log is as it was: 2 events/);
    }
    const [found] = (await verify()).falseRepeats;
    await skipEvent(world.log, found?.event.position ?? '', 'appended by hand');
    expect(isAsItWas(await verify())).toBe(true);
  });

  test('is not needed to learn of it: the auditor logs it when it comes', async () => {
    await appendTwice(newEventId(), sent(talk, 1, 10, '甲'), sent(talk, 1, 10, '丙'));
    const lines: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
    const auditor = await startAuditor({ log: world.log, database: world.url, logger, consumers });
    await vi.waitUntil(() => lines.length > 0, { timeout: 10_000 });
    await auditor.stop();
    expect(lines.join('')).toContain('an event was appended under the id of another');
    expect(lines.join('')).toContain(`${stream}@2 (MessageSent, recorded `);
    expect(lines.join('')).not.toContain('丙');
  });

  test('is named by verify also if more events than it compares at once lie between, none of them audited', async () => {
    const id = newEventId();
    await world.append(sent(talk, 1, 10, '甲'), { id });
    await world.append(sent(talk, 2, 11, '乙'));
    await appendInOrder(world.log, otherMessages(4_200), () => undefined);
    await appendUnder(id, sent(talk, 1, 10, '丙'));
    expect(await verify()).toMatchObject({
      ...{ size: 4_202, audited: 0, difference: undefined },
      falseRepeats: [{ event: { stream, revision: 2 }, first: 0 }],
    });
  });

  test('has a row in the index, which is named if it was changed or deleted', async () => {
    await appendTwice(newEventId(), sent(talk, 1, 10, '甲'), sent(talk, 1, 10, '丙'));
    await audit(world);
    const client = new Client({ connectionString: world.url });
    await client.connect();
    const differences = async () => {
      const found: IndexDifference[] = [];
      await compareIndex({ log: world.log, client, onDifference: (one) => void found.push(one) });
      return found;
    };
    expect(await differences()).toEqual([]);
    const named = { table: 'repeats', event: `${stream}@2` };
    await client.query('update audit.repeats set first = 1');
    expect(await differences()).toMatchObject([{ ...named, fault: 'changed' }]);
    await client.query('delete from audit.repeats');
    expect(await differences()).toMatchObject([{ ...named, fault: 'missing' }]);
    await client.end();
  });

  test('is shown under proof by every process, also after a restart, until it is skipped', async () => {
    await appendTwice(newEventId(), sent(talk, 1, 10, '甲'), sent(talk, 1, 10, '丙'));
    const auditor = await world.startAuditor({ consumers });
    await world.indexed(auditor);
    const named = `${stream}@2 (MessageSent, recorded `;
    const [found] = (await verify()).falseRepeats;
    for (const start of ['first', 'second']) {
      const signing = sign(world, pool);
      await expect.poll(() => signing.status().fault ?? '', { timeout: 10_000 }).toContain(named);
      if (start === 'first') await signing.stop();
      else {
        await skipEvent(world.log, found?.event.position ?? '', 'appended by hand');
        await expect.poll(() => signing.status().fault, { timeout: 10_000 }).toBeUndefined();
      }
    }
  });
});

test('an event that was appended again a minute after the first is named, although its data are the same', async () => {
  const { world, appendUnder } = await inDouble();
  const pool = new Pool({ connectionString: world.url });
  onTestFinished(async () => {
    await pool.end();
    await world.close();
  });
  const minuteMs = 60_000;
  const repeatAfter = async (id: EventId, ms: number) => {
    await world.append(sent(talk, 1, 10, '甲'), { id });
    await appendUnder(id, sent(talk, 1, 10, '甲'));
    const { records } = world.store;
    const [first] = records.slice(-2);
    const created = (first?.created ?? 0) + ms;
    world.store.hold(
      records.map((record, index) => (index < records.length - 1 ? record : { ...record, created })),
    );
  };
  await repeatAfter(newEventId(), minuteMs - 1);
  await repeatAfter(namedId, minuteMs);
  await repeatAfter(newEventId(), minuteMs);
  await audit(world);
  const { falseRepeats } = await verifyLog({ log: world.log, database: pool, origin: signer.name });
  expect(falseRepeats).toMatchObject([{ event: { stream, revision: 5 }, first: 4 }]);
});

test('a row of the index that says so of a sound event is not shown under proof', async () => {
  const { world, appendUnder } = await inDouble();
  const pool = new Pool({ connectionString: world.url });
  onTestFinished(async () => {
    await pool.end();
    await world.close();
  });
  const id = newEventId();
  for (const mid of [10, 11]) await world.append(sent(talk, 1, mid, '甲'));
  await world.append(sent(talk, 1, 12, '甲'), { id });
  await appendUnder(id, sent(talk, 1, 13, '丙'));
  const auditor = await world.startAuditor({ consumers });
  await world.indexed(auditor);
  await world.query(
    `insert into audit.repeats (position, stream, revision, first, id, type, recorded)
       select position, stream, revision, 0, id, type, recorded from audit.events where revision = 1`,
  );
  const signing = sign(world, pool);
  await expect.poll(() => signing.status().fault ?? '', { timeout: 10_000 }).toContain(`${stream}@3 (`);
  expect(signing.status().fault).not.toContain(`${stream}@1 (`);
});

test('the auditor goes on behind one of a type that no table holds, and keeps it', async () => {
  const { world, appendUnder } = await inDouble();
  onTestFinished(() => world.close());
  const id = newEventId();
  await world.append(sent(talk, 1, 10, '甲'), { id });
  await appendUnder(id, sent(talk, 1, 10, '丙'));
  world.store.records.at(-1)?.proposal.getMetadataMap().set('type', 'Account\0Disabled');
  await audit(world);
  expect(await world.query('select type from audit.repeats')).toEqual([
    { type: expect.stringMatching(/^\$none-sha256-[0-9a-f]{64}$/) },
  ]);
});

test('the index that is made again shows such an event if the log has it still', async () => {
  const { world, appendUnder } = await inDouble();
  const client = new Client({ connectionString: world.url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await world.close();
  });
  const shown = async () =>
    (await world.query<{ revision: string }>('select revision from audit.repeats')).length;
  const id = newEventId();
  await world.append(sent(talk, 1, 10, '甲'), { id });
  await world.append(sent(talk, 2, 11, '乙'));
  await appendUnder(id, sent(talk, 1, 10, '丙'));
  await audit(world);
  expect(await shown()).toBe(1);
  await makeIndexAgain(client, consumers);
  expect(await shown()).toBe(0);
  await audit(world);
  expect(await shown()).toBe(1);
  const { records } = world.store;
  world.store.hold(
    records.map((record) => (record.revision === 2 ? { ...record, id: newEventId() } : record)),
  );
  await makeIndexAgain(client, consumers);
  await audit(world);
  expect(await shown()).toBe(0);
});
