import { describe, expect, it } from 'vitest';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import { group } from '../../services/domain/group.ts';
import * as commands from '../../services/domain/group-commands.ts';
import { gid, mid, uid } from '../support/events.ts';
import { given } from '../support/specification.ts';

const now = 1_700_000_000;
const [owner, manager, member, other, stranger] = [uid(1), uid(2), uid(3), uid(4), uid(9)];
const created = {
  type: 'GroupCreated',
  data: {
    gid: gid(50),
    owner,
    members: [owner, manager, member, other],
    name: '群',
    avatar: null,
    noticeMid: null,
  },
} as const satisfies GroupEvent;
const appointed: GroupEvent = { type: 'ManagerAppointed', data: { gid: gid(50), uid: manager } };
const released = (...members: Uid[]): GroupEvent => ({
  type: 'MembersReleased',
  data: { gid: gid(50), members },
});
const dissolved: GroupEvent = { type: 'GroupDissolved', data: { gid: gid(50), by: owner, released: true } };
const noticeMid = mid(7);
const muted = (who: Uid, by: Uid, until: number): GroupEvent => ({
  type: 'MemberMuted',
  data: {
    gid: gid(50),
    by,
    uid: who,
    until,
    noticeMid,
  },
});
const mute = (by: Uid, who: Uid, time: number) => ({ by, uid: who, time, now, mid: noticeMid });

describe('creating a group', () => {
  const creating = { gid: gid(50), owner, mid: mid(5) };

  it('puts the owner first, then the members in the order given, doubles dropped', () => {
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

  it('takes name and picture that are given', () => {
    given(group)
      .when((state) =>
        commands.createGroup(state, { ...creating, members: [], name: '我们', avatar: '//x/a.png' }),
      )
      .gives({
        type: 'GroupCreated',
        data: { gid: gid(50), owner, members: [owner], name: '我们', avatar: '//x/a.png', noticeMid: null },
      });
  });

  it('leaves a group of that gid alone', () => {
    given(group, created)
      .when((state) => commands.createGroup(state, { ...creating, members: [] }))
      .givesNothing();
    given(group, created, dissolved)
      .when((state) => commands.createGroup(state, { ...creating, members: [] }))
      .givesNothing();
  });

  it('takes at most as many as a group may have', () => {
    const crowd = Array.from({ length: 10_000 }, (_, index) => uid(index + 2));
    const [, ...fewer] = crowd;
    const [created] = commands.createGroup(null, { ...creating, owner: uid(1), members: fewer });
    expect(created?.data).toMatchObject({ members: { length: 10_000 } });
    given(group)
      .when((state) => commands.createGroup(state, { ...creating, members: crowd }))
      .refuses('illegal');
  });
});

describe('inviting', () => {
  const inviting = (by: Uid, ...members: Uid[]) => ({ by, members, mid: noticeMid });

  it('adds whom any member names, with a notice', () => {
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(member, stranger)))
      .gives({
        type: 'MembersAdded',
        data: { gid: gid(50), by: member, members: [stranger], noticeMid },
      });
  });

  it('passes over who is in already, and doubles', () => {
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(member, other, stranger, stranger)))
      .gives({
        type: 'MembersAdded',
        data: { gid: gid(50), by: member, members: [stranger], noticeMid },
      });
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(member, other, owner)))
      .givesNothing();
  });

  it('is for members', () => {
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(stranger, uid(10))))
      .refuses('illegal');
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(stranger, stranger)))
      .refuses('illegal');
  });

  it('stops where the group is full', () => {
    const crowd = Array.from({ length: commands.maxMembers - 3 }, (_, index) => uid(index + 100));
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(member, ...crowd)))
      .refuses('illegal');
    given(group, created)
      .when((state) => commands.addMembers(state, inviting(member, ...crowd.slice(1), other)).slice(1))
      .givesNothing();
  });
});

describe('joining', () => {
  const joining = { uid: stranger, mid: noticeMid };

  it('adds oneself, with a notice', () => {
    given(group, created)
      .when((state) => commands.joinGroup(state, joining))
      .gives({
        type: 'MemberJoined',
        data: { gid: gid(50), uid: stranger, noticeMid },
      });
  });

  it('is nothing for a member', () => {
    given(group, created)
      .when((state) => commands.joinGroup(state, { ...joining, uid: member }))
      .givesNothing();
  });

  it('needs a group that is', () => {
    given(group)
      .when((state) => commands.joinGroup(state, joining))
      .refuses('noGroup');
    given(group, created, dissolved)
      .when((state) => commands.joinGroup(state, joining))
      .refuses('noGroup');
  });
});

describe('removing', () => {
  it('is the owner’s alone', () => {
    given(group, created)
      .when((state) =>
        commands.removeMembers(state, { by: owner, members: [member, other, member, stranger] }),
      )
      .gives({
        type: 'MembersRemoved',
        data: { gid: gid(50), by: owner, members: [member, other], faces: [owner, manager] },
      });
    for (const by of [manager, member, stranger]) {
      given(group, created, appointed)
        .when((state) => commands.removeMembers(state, { by, members: [other] }))
        .refuses('illegal');
    }
  });

  it('is nothing where nobody named is in', () => {
    given(group, created)
      .when((state) => commands.removeMembers(state, { by: owner, members: [stranger] }))
      .givesNothing();
  });

  it('never removes the owner, nor anyone along with them', () => {
    given(group, created)
      .when((state) => commands.removeMembers(state, { by: owner, members: [member, owner] }))
      .refuses('illegal');
  });
});

describe('leaving', () => {
  it('is for every member but the owner', () => {
    given(group, created)
      .when((state) => commands.leaveGroup(state, { uid: member }))
      .gives({ type: 'MemberLeft', data: { gid: gid(50), uid: member, faces: [owner, manager, other] } });
    given(group, created)
      .when((state) => commands.leaveGroup(state, { uid: owner }))
      .refuses('illegal');
  });

  it('is open to an owner who handed over', () => {
    given(group, created, { type: 'GroupTransferred', data: { gid: gid(50), from: owner, to: member } })
      .when((state) => commands.leaveGroup(state, { uid: owner }))
      .gives({ type: 'MemberLeft', data: { gid: gid(50), uid: owner, faces: [manager, member, other] } });
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

  it('are members, and not the owner', () => {
    for (const who of [stranger, owner]) {
      given(group, created)
        .when((state) => commands.setManager(state, { by: owner, uid: who, manager: true }))
        .refuses('illegal');
    }
  });

  it('are not dismissed who are none', () => {
    given(group, created)
      .when((state) => commands.setManager(state, { by: owner, uid: member, manager: false }))
      .givesNothing();
  });
});

describe('muting a member', () => {
  it('lasts until the time given', () => {
    given(group, created)
      .when((state) => commands.muteMember(state, mute(owner, member, now + 60)))
      .gives(muted(member, owner, now + 60));
  });

  it('takes a small number for seconds from now, as old clients send it', () => {
    given(group, created)
      .when((state) => commands.muteMember(state, mute(owner, member, 600)))
      .gives(muted(member, owner, now + 600));
    given(group, created)
      .when((state) => commands.muteMember(state, mute(owner, member, 999_999_999)))
      .gives(muted(member, owner, now + 999_999_999));
  });

  it('can be made shorter or longer', () => {
    given(group, created, muted(member, owner, now + 600))
      .when((state) => commands.muteMember(state, mute(owner, member, now + 60)))
      .gives(muted(member, owner, now + 60));
  });

  it('ends by 0 or a time past', () => {
    for (const time of [0, -5, now, now - 1]) {
      given(group, created, muted(member, owner, now + 60))
        .when((state) => commands.muteMember(state, mute(owner, member, time)))
        .gives({
          type: 'MemberUnmuted',
          data: { gid: gid(50), by: owner, uid: member, noticeMid },
        });
    }
  });

  it('ends for one who has left, for whom it would hold on return', () => {
    const left: GroupEvent = { type: 'MemberLeft', data: { gid: gid(50), uid: member, faces: null } };
    for (const by of [owner, manager]) {
      given(group, created, appointed, muted(member, owner, now + 60), left)
        .when((state) => commands.muteMember(state, mute(by, member, 0)))
        .gives({
          type: 'MemberUnmuted',
          data: { gid: gid(50), by, uid: member, noticeMid },
        });
    }
    given(group, created, muted(member, owner, now + 60), left)
      .when((state) => commands.muteMember(state, mute(owner, member, now + 600)))
      .refuses('illegal');
    given(group, created, left)
      .when((state) => commands.muteMember(state, mute(owner, member, 0)))
      .givesNothing();
  });

  it('is not ended where it has ended by itself, or never was', () => {
    given(group, created, muted(member, owner, now))
      .when((state) => commands.muteMember(state, mute(owner, member, 0)))
      .givesNothing();
    given(group, created)
      .when((state) => commands.muteMember(state, mute(owner, member, 0)))
      .givesNothing();
  });

  it('is for the owner, of anyone else', () => {
    given(group, created, appointed)
      .when((state) => commands.muteMember(state, mute(owner, manager, now + 60)))
      .gives(muted(manager, owner, now + 60));
    given(group, created)
      .when((state) => commands.muteMember(state, mute(owner, owner, now + 60)))
      .refuses('illegal');
  });

  it('is for managers, of ordinary members', () => {
    given(group, created, appointed)
      .when((state) => commands.muteMember(state, mute(manager, member, now + 60)))
      .gives(muted(member, manager, now + 60));
    for (const who of [owner, manager]) {
      given(group, created, appointed)
        .when((state) => commands.muteMember(state, mute(manager, who, now + 60)))
        .refuses('illegal');
    }
    given(group, created, appointed, { type: 'ManagerAppointed', data: { gid: gid(50), uid: other } })
      .when((state) => commands.muteMember(state, mute(manager, other, now + 60)))
      .refuses('illegal');
  });

  it('is for nobody else, and of nobody outside', () => {
    for (const by of [member, stranger]) {
      given(group, created)
        .when((state) => commands.muteMember(state, mute(by, other, now + 60)))
        .refuses('illegal');
    }
    given(group, created)
      .when((state) => commands.muteMember(state, mute(owner, stranger, now + 60)))
      .refuses('illegal');
  });
});

describe('muting the whole group', () => {
  const muting = (by: Uid, on: boolean) => ({ by, muted: on, mid: noticeMid });
  const on: GroupEvent = {
    type: 'GroupMuted',
    data: { gid: gid(50), by: manager, noticeMid },
  };

  it('is for the owner and managers', () => {
    given(group, created, appointed)
      .when((state) => commands.muteGroup(state, muting(manager, true)))
      .gives(on);
    given(group, created, on)
      .when((state) => commands.muteGroup(state, muting(owner, false)))
      .gives({
        type: 'GroupUnmuted',
        data: { gid: gid(50), by: owner, noticeMid },
      });
    for (const by of [member, stranger]) {
      given(group, created)
        .when((state) => commands.muteGroup(state, muting(by, true)))
        .refuses('illegal');
    }
  });
});

describe('names and pictures', () => {
  it('are changed by the owner and managers, and only what is new is told', () => {
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

describe('handing over', () => {
  it('makes a member the owner', () => {
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: owner, to: member }))
      .givesEachTime({ type: 'GroupTransferred', data: { gid: gid(50), from: owner, to: member } });
  });

  it('is the owner’s alone, who is it no longer then', () => {
    given(group, created, { type: 'GroupTransferred', data: { gid: gid(50), from: owner, to: member } })
      .when((state) => commands.transferGroup(state, { by: owner, to: other }))
      .refuses('illegal');
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: manager, to: manager }))
      .refuses('illegal');
  });

  it('goes to members, and is nothing to oneself', () => {
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: owner, to: stranger }))
      .refuses('illegal');
    given(group, created)
      .when((state) => commands.transferGroup(state, { by: owner, to: owner }))
      .givesNothing();
  });
});

describe('dissolving', () => {
  it('is the owner’s alone', () => {
    given(group, created)
      .when((state) => commands.dissolveGroup(state, { by: owner }))
      .givesEachTime(released(owner, manager, member, other), dissolved);
    given(group, created, appointed)
      .when((state) => commands.dissolveGroup(state, { by: manager }))
      .refuses('illegal');
  });

  it('releases its members by so many an event, none left out', () => {
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

  it('names the nine who make the picture once someone has left', () => {
    const uids = Array.from({ length: 12 }, (_, index) => uid(index + 1));
    const dozen: GroupEvent = { type: 'GroupCreated', data: { ...created.data, members: uids } };
    given(group, dozen)
      .when((state) => commands.removeMembers(state, { by: owner, members: [uid(3), uid(11)] }))
      .givesEachTime({
        type: 'MembersRemoved',
        data: {
          ...{ gid: gid(50), by: owner, members: [uid(3), uid(11)] },
          faces: [1, 2, 4, 5, 6, 7, 8, 9, 10].map(uid),
        },
      });
  });

  it('ends everything', () => {
    const attempts: readonly ((state: Parameters<typeof commands.dissolveGroup>[0]) => GroupEvent[])[] = [
      (state) => commands.dissolveGroup(state, { by: owner }),
      (state) => commands.addMembers(state, { by: owner, members: [stranger], mid: mid(7) }),
      (state) => commands.removeMembers(state, { by: owner, members: [member] }),
      (state) => commands.setManager(state, { by: owner, uid: member, manager: true }),
      (state) => commands.muteMember(state, mute(owner, member, now + 60)),
      (state) => commands.muteGroup(state, { by: owner, muted: true, mid: mid(7) }),
      (state) => commands.remarkGroup(state, { uid: member, remark: 'x' }),
      (state) => commands.updateGroup(state, { by: owner, name: 'x' }),
      (state) => commands.transferGroup(state, { by: owner, to: member }),
    ];
    for (const attempt of attempts) {
      given(group, created, dissolved).when(attempt).refuses('noGroup');
      // As for who never was in it.
      given(group).when(attempt).refuses('illegal');
    }
    // Who is in it no more has left.
    given(group, created, dissolved)
      .when((state) => commands.leaveGroup(state, { uid: member }))
      .givesNothing();
  });
});
