import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupThen } from '../../../services/audit/as-of/states.ts';
import { explain } from '../../../services/audit/explain/explain.ts';
import { findInLog } from '../../../services/audit/explain/message-in-log.ts';
import { parseQuestion } from '../../../services/audit/explain/question.ts';
import { type Moment, momentAfter, presentMoment } from '../../../services/audit/moment.ts';
import type { Position } from '../../../services/log/log.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { created, gid, inGroup, readTo, registered, sent, uid } from '../../support/events.ts';

describe.each(auditedLogs)('over a log in %s', (_, open) => {
  let world: AuditedLog;
  beforeEach(async () => {
    world = await open();
    for (const id of [1, 2]) await world.append(registered(id, `人${id}`));
    await world.append(created(50, '群', 1, 2));
  });
  afterEach(() => world.close());

  const ask = (question: string, moment: Moment = presentMoment(Date.now())) =>
    explain(
      { log: world.log, findOrigin: (mid) => findInLog(world.log, mid) },
      parseQuestion(question.split(' ')),
      moment,
    );
  const momentOf = async (position: Position) => {
    const event = await world.log.at(position);
    if (!event) throw new Error(`there is no event at ${position}`);
    return momentAfter(event);
  };

  it('explains a message that only the log knows, and unread ones, at each position', async () => {
    const conversation = inGroup(50);
    const one = await world.append(sent(conversation, 1, 7, '你好'));
    const two = await world.append(sent(conversation, 1, 8, '在吗'));
    await world.append(readTo(2, conversation, 8, 2));
    const unread = async (moment?: Moment) => (await ask('unread 2 group 50', moment)).verdict?.value;
    expect([await unread(await momentOf(one)), await unread(await momentOf(two)), await unread()]).toEqual([
      1, 2, 0,
    ]);
    const { steps, answer } = await ask('message 7');
    expect(steps.map(({ words }) => words)).toEqual([
      'is sent by person 1 in group 50',
      'is seen by person 2',
    ]);
    expect(answer).toContain('seen by 1 of 1');
    await expect(ask('message 9')).rejects.toThrow('there is no message 9');
  });

  it('folds a group as of a position', async () => {
    const before = await world.append({ type: 'ManagerAppointed', data: { gid: gid(50), uid: uid(2) } });
    await world.append({ type: 'ManagerDismissed', data: { gid: gid(50), uid: uid(2) } });
    const rolesAt = async (moment: Moment) =>
      (await groupThen(world.log, gid(50), moment)).members.map(({ role }) => role);
    expect(await rolesAt(await momentOf(before))).toEqual(['owner', 'manager']);
    expect(await rolesAt(presentMoment(Date.now()))).toEqual(['owner', 'member']);
  });
});
