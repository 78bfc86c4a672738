import { expect, test } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { projectionsByType } from '../../projections/index.ts';
import { fold } from '../../services/domain/aggregate.ts';
import { group } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { type Decoded, decode, encode } from '../../services/log/codec.ts';
import { startOfLog } from '../../services/log/log.ts';
import { gid, mid, uid } from '../support/events.ts';
import { newEventId, streamOf, testTime } from '../support/projecting.ts';
import { recordedAs } from '../support/recorded.ts';

test('an event of a group of 10,000 reads a few rows for each person that it names, and no list of members', () => {
  const owner = uid(1);
  const projections = projectionsByType(false);
  const present = Array.from({ length: groupMembers.maxMembers }, (_, index) => uid(index + 1));
  const state = () =>
    fold(group, [
      {
        type: 'GroupCreated',
        data: { gid: gid(13), owner, members: present, name: '大群', avatar: null, noticeMid: null },
      },
    ]);
  const decisions: readonly (readonly [named: number, events: readonly DomainEvent[]])[] = [
    [1, groupMembers.leaveGroup(state(), { uid: uid(2) })],
    [1_000, groupMembers.removeMembers(state(), { by: owner, members: present.slice(1, 1_001) })],
    [1_000, groups.dissolveGroup(state(), { by: owner })],
    [2, groups.transferGroup(state(), { by: owner, to: uid(2) })],
    [1, groupMutes.muteMember(state(), { by: owner, uid: uid(2), time: 60, now: 1, mid: mid(1) })],
  ];
  for (const [named, events] of decisions) {
    for (const event of events) {
      const refs = projections.get(event.type)?.reads(decodedAs(event)) ?? [];
      expect(refs.filter(({ list }) => list !== null)).toEqual([]);
      expect(refs.length).toBeLessThanOrEqual(6 + 3 * named);
    }
  }
});

/** An event as the log gives it. */
function decodedAs(event: DomainEvent): Decoded {
  const metadata = { time: testTime, actor: 'server', $correlationId: 'test', $causationId: 'test' };
  const stored = { stream: streamOf(event), revision: 0, position: startOfLog, recorded: testTime };
  return decode(recordedAs(encode(newEventId(), event, metadata), stored));
}
