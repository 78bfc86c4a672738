import { describe, expect, it } from 'vitest';
import type { GroupEvent } from '../../contracts/events/group.ts';
import { group } from '../../services/domain/group.ts';
import * as commands from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { gid, mid, uid } from '../support/events.ts';
import {
  appointed,
  created,
  dissolved,
  manager,
  member,
  mute,
  now,
  other,
  owner,
  released,
  stranger,
} from '../support/group-events.ts';
import { given } from '../support/specification.ts';

describe('creating a group', () => {
  const creating = { gid: gid(50), owner, mid: mid(5) };

  it('puts the owner first, then the members in the given order without duplicates', () => {
    given(group)
      .when((state) =>
        commands.createGroup(state, { ...creating, members: [member, owner, manager, member], name: '群' }),
      )
      .gives({
        type: 'GroupCreated',
        data: {
          gid: gid(50),
          owner,
          members: [owner, member, manager],
          name: '群',
          avatar: null,
          noticeMid: mid(5),
        },
      });
  });

  it('records no name if none is given: its members make it', () => {
    for (const name of [undefined, '']) {
      given(group)
        .when((state) => commands.createGroup(state, { ...creating, members: [member], name, avatar: '' }))
        .gives({
          type: 'GroupCreated',
          data: {
            gid: gid(50),
            owner,
            members: [owner, member],
            name: null,
            avatar: null,
            noticeMid: mid(5),
          },
        });
    }
  });

  it('uses the given name and picture', () => {
    given(group)
      .when((state) =>
        commands.createGroup(state, { ...creating, members: [], name: '我们', avatar: '//x/a.png' }),
      )
      .gives({
        type: 'GroupCreated',
        data: { gid: gid(50), owner, members: [owner], name: '我们', avatar: '//x/a.png', noticeMid: null },
      });
  });

  it('changes nothing if the gid has a group already', () => {
    given(group, created)
      .when((state) => commands.createGroup(state, { ...creating, members: [] }))
      .givesNothing();
    given(group, created, dissolved)
      .when((state) => commands.createGroup(state, { ...creating, members: [] }))
      .givesNothing();
  });

  it('refuses more members than a group may have', () => {
    const crowd = Array.from({ length: 10_000 }, (_, index) => uid(index + 2));
    const [, ...fewer] = crowd;
    const [created] = commands.createGroup(null, { ...creating, owner: uid(1), members: fewer });
    expect(created?.data).toMatchObject({ members: { length: 10_000 } });
    given(group)
      .when((state) => commands.createGroup(state, { ...creating, members: crowd }))
      .refuses('illegal');
  });
});

describe('managers', () => {
  it('are appointed and dismissed by the owner', () => {
    given(group, created)
      .when((state) => commands.setManager(state, { by: owner, uid: manager, manager: true }))
      .gives(appointed);
    given(group, created, appointed)
      .when((state) => commands.setManager(state, { by: owner, uid: manager, manager: false }))
      .gives({ type: 'ManagerDismissed', data: { gid: gid(50), uid: manager } });
    given(group, created, appointed)
      .when((state) => commands.setManager(state, { by: manager, uid: member, manager: true }))
      .refuses('illegal');
  });

  it('must be members other than the owner', () => {
    for (const who of [stranger, owner]) {
      given(group, created)
        .when((state) => commands.setManager(state, { by: owner, uid: who, manager: true }))
        .refuses('illegal');
    }
  });

  it('are dismissed only if they were appointed', () => {
    given(group, created)
      .when((state) => commands.setManager(state, { by: owner, uid: member, manager: false }))
      .givesNothing();
  });
});

describe('names and pictures', () => {
  it('are changed by the owner and managers, in an event of what differs', () => {
    given(group, created, appointed)
      .when((state) => commands.updateGroup(state, { by: manager, name: '群', avatar: '//x/b.png' }))
      .gives({ type: 'GroupUpdated', data: { gid: gid(50), by: manager, avatar: '//x/b.png' } });
    for (const by of [member, stranger]) {
      given(group, created)
        .when((state) => commands.updateGroup(state, { by, name: '新' }))
        .refuses('illegal');
    }
  });

  it('are remarked by each member for themselves', () => {
    given(group, created)
      .when((state) => commands.remarkGroup(state, { uid: member, remark: '家' }))
      .gives({ type: 'GroupRemarked', data: { gid: gid(50), uid: member, remark: '家' } });
    given(group, created)
      .when((state) => commands.remarkGroup(state, { uid: stranger, remark: '家' }))
      .refuses('illegal');
  });
});

describe('transferring a group', () => {
  it('makes a member the owner', () => {
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: owner, to: member }))
      .givesEachTime({ type: 'GroupTransferred', data: { gid: gid(50), from: owner, to: member } });
  });

  it('is for the owner only, who then is an ordinary member', () => {
    given(group, created, { type: 'GroupTransferred', data: { gid: gid(50), from: owner, to: member } })
      .when((state) => commands.transferGroup(state, { by: owner, to: other }))
      .refuses('illegal');
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: manager, to: manager }))
      .refuses('illegal');
  });

  it('goes to members only, and changes nothing if the owner names themselves', () => {
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: owner, to: stranger }))
      .refuses('illegal');
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: owner, to: owner }))
      .givesNothing();
  });
});

describe('dissolving a group', () => {
  it('is for the owner only', () => {
    given(group, created)
      .when((state) => commands.dissolveGroup(state, { by: owner }))
      .givesEachTime(released(owner, manager, member, other), dissolved);
    given(group, created, appointed)
      .when((state) => commands.dissolveGroup(state, { by: manager }))
      .refuses('illegal');
  });

  it('releases all members, 1,000 per event', () => {
    const uids = Array.from({ length: 2_500 }, (_, index) => uid(index + 1));
    const great: GroupEvent = { type: 'GroupCreated', data: { ...created.data, members: uids } };
    given(group, great)
      .when((state) => commands.dissolveGroup(state, { by: owner }))
      .givesEachTime(
        released(...uids.slice(0, 1_000)),
        released(...uids.slice(1_000, 2_000)),
        released(...uids.slice(2_000)),
        dissolved,
      );
  });

  it('names the nine members of the picture after somebody has left', () => {
    const uids = Array.from({ length: 12 }, (_, index) => uid(index + 1));
    const dozen: GroupEvent = { type: 'GroupCreated', data: { ...created.data, members: uids } };
    given(group, dozen)
      .when((state) => groupMembers.removeMembers(state, { by: owner, members: [uid(3), uid(11)] }))
      .givesEachTime({
        type: 'MembersRemoved',
        data: {
          ...{ gid: gid(50), by: owner, members: [uid(3), uid(11)] },
          faces: [1, 2, 4, 5, 6, 7, 8, 9, 10].map(uid),
        },
      });
  });

  it('is the last event of a group', () => {
    const attempts: readonly ((state: Parameters<typeof commands.dissolveGroup>[0]) => GroupEvent[])[] = [
      (state) => commands.dissolveGroup(state, { by: owner }),
      (state) => groupMembers.addMembers(state, { by: owner, members: [stranger], mid: mid(7) }),
      (state) => groupMembers.removeMembers(state, { by: owner, members: [member] }),
      (state) => commands.setManager(state, { by: owner, uid: member, manager: true }),
      (state) => groupMutes.muteMember(state, mute(owner, member, now + 60)),
      (state) => groupMutes.muteGroup(state, { by: owner, muted: true, mid: mid(7) }),
      (state) => commands.remarkGroup(state, { uid: member, remark: 'x' }),
      (state) => commands.updateGroup(state, { by: owner, name: 'x' }),
      (state) => commands.transferGroup(state, { by: owner, to: member }),
    ];
    for (const attempt of attempts) {
      given(group, created, dissolved).when(attempt).refuses('noGroup');
      // As for who never was in it.
      given(group).when(attempt).refuses('illegal');
    }
    // A person who is no longer in it has left.
    given(group, created, dissolved)
      .when((state) => groupMembers.leaveGroup(state, { uid: member }))
      .givesNothing();
  });
});
