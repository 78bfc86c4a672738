import { describe, it } from 'vitest';
import type { GroupEvent } from '../../contracts/events/group.ts';
import type { Uid } from '../../contracts/ids.ts';
import { group } from '../../services/domain/group.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { gid } from '../support/events.ts';
import {
  appointed,
  created,
  manager,
  member,
  mute,
  muted,
  noticeMid,
  now,
  other,
  owner,
  stranger,
} from '../support/group-events.ts';
import { given } from '../support/specification.ts';

describe('muting a member', () => {
  it('lasts until the given time', () => {
    given(group, created)
      .when((state) => groupMutes.muteMember(state, mute(owner, member, now + 60)))
      .gives(muted(member, owner, now + 60));
  });

  it('reads a small number as seconds from now, as old clients send it', () => {
    given(group, created)
      .when((state) => groupMutes.muteMember(state, mute(owner, member, 600)))
      .gives(muted(member, owner, now + 600));
    given(group, created)
      .when((state) => groupMutes.muteMember(state, mute(owner, member, 999_999_999)))
      .gives(muted(member, owner, now + 999_999_999));
  });

  it('can be made shorter or longer', () => {
    given(group, created, muted(member, owner, now + 600))
      .when((state) => groupMutes.muteMember(state, mute(owner, member, now + 60)))
      .gives(muted(member, owner, now + 60));
  });

  it('is ended by 0 or a past time', () => {
    for (const time of [0, -5, now, now - 1]) {
      given(group, created, muted(member, owner, now + 60))
        .when((state) => groupMutes.muteMember(state, mute(owner, member, time)))
        .gives({
          type: 'MemberUnmuted',
          data: { gid: gid(50), by: owner, uid: member, noticeMid },
        });
    }
  });

  it('can be ended for a person who has left, since it would hold when they return', () => {
    const left: GroupEvent = { type: 'MemberLeft', data: { gid: gid(50), uid: member, faces: null } };
    for (const by of [owner, manager]) {
      given(group, created, appointed, muted(member, owner, now + 60), left)
        .when((state) => groupMutes.muteMember(state, mute(by, member, 0)))
        .gives({
          type: 'MemberUnmuted',
          data: { gid: gid(50), by, uid: member, noticeMid },
        });
    }
    given(group, created, muted(member, owner, now + 60), left)
      .when((state) => groupMutes.muteMember(state, mute(owner, member, now + 600)))
      .refuses('illegal');
    given(group, created, left)
      .when((state) => groupMutes.muteMember(state, mute(owner, member, 0)))
      .givesNothing();
  });

  it('is not ended if it has expired or never began', () => {
    given(group, created, muted(member, owner, now))
      .when((state) => groupMutes.muteMember(state, mute(owner, member, 0)))
      .givesNothing();
    given(group, created)
      .when((state) => groupMutes.muteMember(state, mute(owner, member, 0)))
      .givesNothing();
  });

  it('is allowed to the owner, for anyone else', () => {
    given(group, created, appointed)
      .when((state) => groupMutes.muteMember(state, mute(owner, manager, now + 60)))
      .gives(muted(manager, owner, now + 60));
    given(group, created)
      .when((state) => groupMutes.muteMember(state, mute(owner, owner, now + 60)))
      .refuses('illegal');
  });

  it('is allowed to managers, for ordinary members', () => {
    given(group, created, appointed)
      .when((state) => groupMutes.muteMember(state, mute(manager, member, now + 60)))
      .gives(muted(member, manager, now + 60));
    for (const who of [owner, manager]) {
      given(group, created, appointed)
        .when((state) => groupMutes.muteMember(state, mute(manager, who, now + 60)))
        .refuses('illegal');
    }
    given(group, created, appointed, { type: 'ManagerAppointed', data: { gid: gid(50), uid: other } })
      .when((state) => groupMutes.muteMember(state, mute(manager, other, now + 60)))
      .refuses('illegal');
  });

  it('is refused to others, and for people who are no members', () => {
    for (const by of [member, stranger]) {
      given(group, created)
        .when((state) => groupMutes.muteMember(state, mute(by, other, now + 60)))
        .refuses('illegal');
    }
    given(group, created)
      .when((state) => groupMutes.muteMember(state, mute(owner, stranger, now + 60)))
      .refuses('illegal');
  });
});

describe('muting the whole group', () => {
  const muting = (by: Uid, on: boolean) => ({ by, muted: on, mid: noticeMid });
  const on: GroupEvent = {
    type: 'GroupMuted',
    data: { gid: gid(50), by: manager, noticeMid },
  };

  it('is allowed to the owner and managers', () => {
    given(group, created, appointed)
      .when((state) => groupMutes.muteGroup(state, muting(manager, true)))
      .gives(on);
    given(group, created, on)
      .when((state) => groupMutes.muteGroup(state, muting(owner, false)))
      .gives({
        type: 'GroupUnmuted',
        data: { gid: gid(50), by: owner, noticeMid },
      });
    for (const by of [member, stranger]) {
      given(group, created)
        .when((state) => groupMutes.muteGroup(state, muting(by, true)))
        .refuses('illegal');
    }
  });
});
