import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { firstReplacedMid, Mid, ReplyId } from '../../contracts/ids.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { createIds } from '../../services/accounts/ids.ts';
import { createLostAccounts } from '../../services/accounts/lost-accounts.ts';
import { raiseIds } from '../../services/api/raise-ids.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { followProgress } from '../../services/bus/progress.ts';
import { UsedIds } from '../../services/commands/used-ids.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { identify } from '../../services/edge/identify.ts';
import { encode } from '../../services/log/codec.ts';
import { openEventStoreDBLog } from '../../services/log/eventstoredb/eventstoredb-log.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { greatestIds, readCheckpoint } from '../../services/queries/checkpoint.ts';
import { readDatabase } from '../../services/queries/tables.ts';
import { silent } from '../support/accounts.ts';
import { afterAllTests } from '../support/at-end.ts';
import { createDatabase } from '../support/database.ts';
import { applicationId, between, created, gid, mid, registered, sent, uid } from '../support/events.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { newEventId } from '../support/projecting.ts';

const metadata = { time: 0, actor: 'server', $correlationId: 'test', $causationId: 'test' };

describe.each([
  [
    'Postgres',
    async (url: string) => ({ log: await openPostgresLog({ connectionString: url }), end: () => {} }),
  ],
  [
    'EventStoreDB (a double)',
    async () => {
      const double = new EventStoreDBDouble();
      await double.start();
      const log = openEventStoreDBLog({ url: double.url, logger: pino({ level: 'silent' }) });
      return { log, end: () => double.kill() };
    },
  ],
])('ids over a log in %s that no projector follows', (_, open) => {
  let log: EventLog;
  const atEnd = afterAllTests();
  let url: string;

  beforeAll(async () => {
    const database = await createDatabase();
    atEnd(database.drop);
    url = database.url;
    const opened = await open(url);
    log = opened.log;
    atEnd(opened.end);
    atEnd(() => log.close());
  });

  async function append(stream: string, ...events: DomainEvent[]): Promise<void> {
    for (const event of events) {
      await log.append(streamName(stream), 'any', [encode(newEventId(), event, metadata)]);
    }
  }

  it('are raised above every id in the log, without waiting for the read models', async () => {
    await append('user-700', registered(700, '甲'));
    await append('conversation-f1-2', sent(between(1, 2), 1, 5_000, 'x'), {
      type: 'MessageRevoked',
      // Shown under another mid, which is not from the sequence.
      data: { conversation: between(1, 2), mid: Mid.parse(firstReplacedMid + 5), sequence: 1, by: uid(1) },
    });
    await append('group-50', created(50, '群', 1), {
      type: 'MembersInvited',
      data: {
        ...{ gid: gid(50), by: uid(1) },
        invitations: [1, 2, 3].map((number) => ({
          uid: uid(number),
          applicationId: applicationId(6_000 + number),
        })),
      },
    });
    await append('friendship-1-2', {
      type: 'FriendAgreed',
      data: {
        ...{ applicationId: applicationId(6_001), from: uid(1), to: uid(2) },
        mid: mid(5_500),
        content: '',
      },
    });
    await append('reply-1', {
      type: 'ReplyAdded',
      data: {
        ...{ rid: ReplyId.parse(8_000), uid: uid(1), type: 1, title: 't', content: 'c', weights: 1 },
        isDefault: false,
      },
    });
    const pool = createPool(url, silent);
    atEnd(() => pool.end());
    await identify(log, pool);
    const database = readDatabase(pool);
    const ids = createIds(accountsDatabase(pool), () => greatestIds(database));
    const bus = memoryBus(silent);
    const progress = await followProgress(bus, () => readCheckpoint(database));
    atEnd(() => bus.close());
    atEnd(() => progress.stop());
    const { signal } = new AbortController();
    const used = new UsedIds(firstReplacedMid);
    const accounts = createLostAccounts({
      database: accountsDatabase(pool),
      isRegistered: async () => false,
    });
    expect(await raiseIds({ log, database, progress, ids, used, accounts, logger: silent, signal })).toBe(
      true,
    );
    expect(await ids.nextMid()).toBe(5_501);
    expect(await ids.nextApplicationId()).toBe(6_004);
    expect(await ids.nextReplyId()).toBe(8_001);
    const { rows } = await pool.query(`select nextval('accounts.uid')::int as uid`);
    expect(rows).toEqual([{ uid: 701 }]);
    // Whose account the database lacks is put back.
    expect(await accounts.has(700)).toBe(true);
  });
});
