import { deserialize, serialize } from 'node:v8';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { verifiedInWords } from '../../services/audit/tree/verified-words.ts';
import { verifyLog } from '../../services/audit/tree/verify-log.ts';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { createSnapshots } from '../../services/commands/snapshots.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import { encode } from '../../services/log/codec.ts';
import type { NewEvent } from '../../services/log/log.ts';
import { type AuditedLog, auditedLogs } from '../support/auditing.ts';
import { created, gid, uid } from '../support/events.ts';
import { newEventId, testTime } from '../support/projecting.ts';

describe.each(auditedLogs)('npm run verify of the snapshots of a log in %s', (_, open) => {
  const group = groupStream(gid(50));
  let audited: AuditedLog;
  let pool: Pool;
  beforeAll(async () => {
    audited = await open();
    pool = new Pool({ connectionString: audited.url });
    await audited.append(created(50, '群', 1, 2, 3));
    const metadata = { time: testTime, actor: '1', $correlationId: 'test', $causationId: 'test' };
    const remark = (text: number): NewEvent =>
      encode(
        newEventId(),
        { type: 'GroupRemarked', data: { gid: gid(50), uid: uid(2), remark: `${text}` } },
        metadata,
      );
    for (let hundreds = 0; hundreds < 12; hundreds++) {
      const rest = Array.from({ length: 99 }, (_, index) => remark(index));
      await audited.log.append(group.name, 'any', [remark(99), ...rest]);
    }
    await folded();
    await pool.query('create table kept as table folds.snapshots');
  });
  afterAll(async () => {
    await pool.end();
    await audited.close();
  });
  beforeEach(() => {
    onTestFinished(async () => {
      await pool.query('truncate folds.snapshots; insert into folds.snapshots table kept');
    });
  });

  /** What the commands of a process that starts now decide on. */
  async function folded(): Promise<GroupState> {
    const store = new AggregateStore(audited.log, () => undefined, { snapshots: createSnapshots(pool) });
    await store.start();
    try {
      return structuredClone((await store.load(group)).state);
    } finally {
      await store.stop();
    }
  }

  async function change(to: (state: NonNullable<GroupState>) => unknown): Promise<void> {
    const { rows } = await pool.query<{ state: Buffer }>('select state from folds.snapshots');
    const [row] = rows;
    if (!row) throw new Error('no snapshot was kept');
    await pool.query('update folds.snapshots set state = $1', [serialize(to(deserialize(row.state)))]);
  }

  const verify = async () =>
    verifiedInWords(await verifyLog({ log: audited.log, database: pool, origin: 'bubble-im/test' }));

  test('finds nothing in those that the commands kept', async () => {
    expect(await verify()).toMatch(/^The log is as it was/);
  });

  test('names one with a state that its events do not give, on which commands decide', async () => {
    await change((state) => {
      state.members.set(uid(77777), { manager: true, remark: '' });
      return state;
    });
    expect((await folded())?.members.has(uid(77777))).toBe(true);
    expect(await verify()).toMatch(
      /^SNAPSHOT CHANGED: the state of group-50 up to group-50@1\d\d\d that .*\nOtherwise the log is as it was/,
    );
  });

  test('names one with the same members in another order', async () => {
    await change((state) => ({ ...state, members: new Map([...state.members].reverse()) }));
    expect(await verify()).toMatch('SNAPSHOT CHANGED: the state of group-50 ');
  });

  test.each([
    ['of another fold', 'version = version + 1'],
    ['of another log', 'event_id = gen_random_uuid()'],
    ['of other decisions to skip', 'skipped = 1'],
    ['of events to come', 'revision = revision + 100000'],
    ['that cannot be read', `state = 'x'`],
  ])('does not name one %s, which the commands pass over', async (_what, spoil) => {
    await change(() => 'another state');
    await pool.query(`update folds.snapshots set ${spoil}`);
    expect(await verify()).toMatch(/^The log is as it was/);
    expect((await folded())?.members.size).toBe(3);
  });
});
