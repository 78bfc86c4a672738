import type { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  ConsumerSession,
  IndexConsumer,
  NumberedRecord,
} from '../../../services/audit/index/consumer.ts';
import type { Position } from '../../../services/log/log.ts';
import { int8s } from '../../../services/postgres/pipeline.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { between, created, registered, sent } from '../../support/events.ts';
import { newEventId } from '../../support/projecting.ts';
import { wrapLog } from '../../support/wrapped-log.ts';

const talk = between(1, 2);

/** Keeps the number of each event in a table, in the transactions of the index. */
class NumberKeeper implements IndexConsumer {
  readonly records: NumberedRecord[] = [];
  lacksEvents = false;

  async reset(client: Client): Promise<void> {
    this.lacksEvents = false;
    await client.query('truncate kept');
  }

  async begin(_: Client, next: number): Promise<ConsumerSession | undefined> {
    if (next > 0 && this.lacksEvents) return undefined;
    return {
      extend: (events) => {
        this.records.push(...events);
        return [
          {
            name: 'keep',
            text: 'insert into kept select unnest($1::bigint[])',
            values: [int8s(events.map(({ number }) => number))],
          },
        ];
      },
    };
  }
}

describe.each(auditedLogs)('the index of a log in %s', (_, open) => {
  let world: AuditedLog;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  const rows = () =>
    world.query<Record<string, unknown>>(
      `select number::int, stream, revision::int, type, actor, acted_for::int, correlation, causation, conversation,
         mid::int, array(select uid::int from audit.people p where p.number = e.number order by uid) as people
       from audit.events e order by number`,
    );

  it('has a row for each event in the order of the log, with all by which it is found', async () => {
    await world.append(registered(1, '甲'), { correlation: 'one' });
    const first = newEventId();
    await world.append(sent(talk, 1, 10, 'x'), { id: first, actor: '1', correlation: 'two' });
    await world.append(sent(talk, 2, 11, 'y'), { for: 2, correlation: 'two', causation: first });
    await world.append(created(50, '群', 1, 2, 3), { actor: '1', correlation: 'three' });
    const auditor = await world.startAuditor();
    await world.indexed(auditor);
    const nothing = { acted_for: null, causation: null, conversation: null, mid: null };
    expect(await rows()).toEqual([
      {
        ...{ ...nothing, number: 0, stream: 'user-1', revision: 0, type: 'UserRegistered' },
        ...{ actor: 'server', correlation: 'one', people: [1] },
      },
      {
        ...{ ...nothing, number: 1, stream: 'conversation-f1-2', revision: 0, type: 'MessageSent' },
        ...{ actor: '1', correlation: 'two', conversation: 'f1-2', mid: 10, people: [1, 2] },
      },
      {
        ...{ ...nothing, number: 2, stream: 'conversation-f1-2', revision: 1, type: 'MessageSent' },
        ...{ actor: 'server', acted_for: 2, correlation: 'two', causation: first },
        ...{ conversation: 'f1-2', mid: 11, people: [1, 2] },
      },
      {
        ...{ ...nothing, number: 3, stream: 'group-50', revision: 0, type: 'GroupCreated' },
        ...{ actor: '1', correlation: 'three', conversation: 'g50', people: [1, 2, 3] },
      },
    ]);
    const [last] = await world.query<{ position: Position; recorded: string }>(
      'select position, recorded from audit.events order by number desc limit 1',
    );
    const record = await world.log.at(last?.position ?? ('' as Position));
    expect(record).toMatchObject({ stream: 'group-50', recorded: Number(last?.recorded) });
    expect(await world.query('select * from audit.types order by category, type')).toEqual([
      { category: 'conversation', type: 'MessageSent' },
      { category: 'group', type: 'GroupCreated' },
      { category: 'user', type: 'UserRegistered' },
    ]);
  });

  it('has events that this program cannot read, by the names of their streams', async () => {
    await world.appendRaw('user-5', 'UserTeleported', { uid: 5 }, { actor: '5', version: 1 });
    await world.appendRaw('conversation-f1-2', 'MessageSent', { from: 'nobody' }, { actor: 'x'.repeat(300) });
    await world.appendRaw('elsewhere-1', 'Unheard', {});
    await world.append(registered(1, '甲'));
    const auditor = await world.startAuditor();
    await vi.waitUntil(async () => (await rows()).length === 3, { timeout: 15_000 });
    expect(auditor.fault).toBeUndefined();
    expect(await rows()).toMatchObject([
      { number: 0, stream: 'user-5', type: 'UserTeleported', actor: '5', people: [5], correlation: null },
      {
        number: 1,
        stream: 'conversation-f1-2',
        actor: null,
        people: [1, 2],
        conversation: 'f1-2',
        mid: null,
      },
      { number: 2, stream: 'user-1', type: 'UserRegistered', people: [1] },
    ]);
  });

  it('counts an event that the log has twice under one id once', async () => {
    await world.append(registered(1, '甲'));
    await world.append(sent(talk, 1, 10, 'x'));
    const twice = wrapLog(world.log, {
      remembersIds: 'recently',
      async *subscribe(options) {
        for await (const records of world.log.subscribe(options)) {
          yield records;
          yield records;
          yield [...records, ...records];
        }
      },
    });
    const auditor = await world.startAuditor({ log: twice });
    await world.indexed(auditor);
    await world.append(sent(talk, 1, 11, 'y'));
    await world.indexed(auditor);
    await auditor.stop();
    expect((await rows()).map(({ number, mid }) => [number, mid])).toEqual([
      [0, null],
      [1, 10],
      [2, 11],
    ]);
  });

  it('continues with the next number after the auditor was stopped, and follows new events', async () => {
    await world.append(registered(1, '甲'));
    const first = await world.startAuditor();
    await world.indexed(first);
    await first.stop();
    await world.append(sent(talk, 1, 10, 'x'));
    const second = await world.startAuditor();
    await world.indexed(second);
    await world.append(sent(talk, 1, 11, 'y'));
    await world.indexed(second);
    expect((await rows()).map(({ number, type }) => [number, type])).toEqual([
      [0, 'UserRegistered'],
      [1, 'MessageSent'],
      [2, 'MessageSent'],
    ]);
  });

  describe('with something that is made together with it', () => {
    let keeper: NumberKeeper;
    beforeEach(async () => {
      await world.query('create table kept (number bigint primary key)');
      keeper = new NumberKeeper();
    });

    const kept = async () => {
      const found = await world.query<{ number: string }>('select number from kept order by number');
      return found.map(({ number }) => Number(number));
    };

    it('commits both in one transaction: every event once, with its number and its record', async () => {
      for (let number = 1; number <= 20; number++) await world.append(sent(talk, 1, number, 'x'));
      const auditor = await world.startAuditor({ consumers: [keeper] });
      await world.indexed(auditor);
      expect(await kept()).toEqual(Array.from({ length: 20 }, (_, number) => number));
      expect(keeper.records.map(({ number, record }) => [number, record.data.mid])).toEqual(
        Array.from({ length: 20 }, (_, number) => [number, number + 1]),
      );
    });

    it('commits neither if one cannot be written, and both once it can', async () => {
      await world.append(sent(talk, 1, 10, 'x'));
      await world.query('alter table kept rename to hidden');
      const auditor = await world.startAuditor({ consumers: [keeper] });
      await vi.waitUntil(() => keeper.records.length > 1, { timeout: 15_000 });
      expect(await rows()).toEqual([]);
      await world.query('alter table hidden rename to kept');
      await world.indexed(auditor);
      expect(await kept()).toEqual([0]);
      expect(await rows()).toHaveLength(1);
    });

    it('is made again together with it if that lacks events', async () => {
      await world.append(registered(1, '甲'));
      await world.append(sent(talk, 1, 10, 'x'));
      const alone = await world.startAuditor();
      await world.indexed(alone);
      await alone.stop();
      keeper.lacksEvents = true;
      const auditor = await world.startAuditor({ consumers: [keeper] });
      await vi.waitUntil(async () => (await kept()).length === 2, { timeout: 15_000 });
      await world.indexed(auditor);
      expect((await rows()).map(({ number }) => number)).toEqual([0, 1]);
    });
  });
});

describe('the index of a log that lost events', () => {
  it('is emptied and made again from what the log holds', async () => {
    const [, open] = auditedLogs[0];
    const world = await open();
    try {
      await world.append(registered(1, '甲'));
      await world.append(sent(talk, 1, 10, 'lost'));
      const before = await world.startAuditor();
      await world.indexed(before);
      await before.stop();
      await world.query('delete from log.events where position = 2');
      await world.append(sent(talk, 1, 11, 'instead'));
      const auditor = await world.startAuditor();
      await vi.waitUntil(
        async () => (await world.query('select 1 from audit.events where mid = 11')).length === 1,
        { timeout: 15_000 },
      );
      await world.indexed(auditor);
      expect(await world.query('select number::int, mid::int from audit.events order by number')).toEqual([
        { number: 0, mid: null },
        { number: 1, mid: 11 },
      ]);
    } finally {
      await world.close();
    }
  });
});
