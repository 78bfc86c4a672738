import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  definitionOf,
  type EventData,
  type EventType,
  eventDefinitions,
} from '../../contracts/events/index.ts';
import {
  AnnouncementId,
  ApplicationId,
  ConversationId,
  Gid,
  Mid,
  NumberId,
  ReplyId,
  Uid,
} from '../../contracts/ids.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { decode, encode } from '../../services/log/codec.ts';
import type { Position } from '../../services/log/log.ts';
import { newEventId } from '../support/projecting.ts';
import { recordedAs } from '../support/recorded.ts';

/* What is written is what is read, for everything that an event may hold. */

const positive = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.maxSafeInteger().map((number) => Math.max(1, Math.abs(number))),
);
const uid = positive.map((number) => Uid.parse(number));
const gid = positive.map((number) => Gid.parse(number));
const mid = positive.map((number) => Mid.parse(number));
const applicationId = positive.map((number) => ApplicationId.parse(number));
const rid = positive.map((number) => ReplyId.parse(number));
const numberId = positive.map((number) => NumberId.parse(number));
const sequence = fc.maxSafeNat().map((number) => Math.max(1, number));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\u0000', '\ud800x', '‮abc', '猫猫', '😀', '"\\', '__proto__', '2026-01-01T00:00:00Z'),
);
const conversation = fc.oneof(
  fc.tuple(uid, uid).map(([one, other]) => ConversationId.parse(`f${one}-${other}`)),
  gid.map((group) => ConversationId.parse(`g${group}`)),
);
/** An event with a notice, as it is written and as version 1 is lifted. */
const withNotice = <Data extends object>(data: { [Name in keyof Data]: fc.Arbitrary<Data[Name]> }) =>
  fc
    .tuple(fc.record(data), fc.record({ noticeMid: mid, noticeText: text }, { requiredKeys: ['noticeMid'] }))
    .map(([rest, notice]) => ({ ...rest, ...notice }));
/** An event of access, alone or with how many more there were. */
const access = <Data extends object>(data: { [Name in keyof Data]: fc.Arbitrary<Data[Name]> }) =>
  fc
    .tuple(fc.record(data), fc.record({ suppressed: sequence }, { requiredKeys: [] }))
    .map(([rest, counted]) => ({ ...rest, ...counted }));
const announcementId = sequence.map((id) => AnnouncementId.parse(id));
const uids = fc.array(uid, { maxLength: 20 });
const reply = {
  rid,
  uid,
  type: fc.constantFrom(1 as const, 2 as const, 3 as const),
  title: text,
  content: text,
  weights: fc.maxSafeInteger(),
  isDefault: fc.boolean(),
};
const chat = { uid, conversation };

const datas: { readonly [Type in EventType]: fc.Arbitrary<EventData[Type]> } = {
  UserRegistered: fc.record({
    uid,
    username: text,
    nickname: text,
    avatar: text,
    sign: text,
    phone: fc.option(text),
    numberId,
    parent: fc.option(uid),
  }),
  ProfileChanged: fc.record({ uid, nickname: text, avatar: text, sign: text }, { requiredKeys: ['uid'] }),
  AccountDisabled: fc.record({ uid }),
  AccountDeleted: fc.record({ uid }),
  AccountDeletionCompleted: fc.record({ uid }),
  AccountEnabled: fc.record({ uid }),
  MembershipGranted: fc.record({ uid }),
  MembershipRevoked: fc.record({ uid }),
  PhoneBound: fc.record({ uid, phone: text }),
  FriendApplied: fc.record({ applicationId, from: uid, to: uid, postscript: text }),
  FriendAgreed: fc.record({ applicationId, from: uid, to: uid, mid, content: text }),
  FriendRefused: fc.record({ applicationId, from: uid, to: uid }),
  Befriended: fc.record({ by: uid, friend: uid }),
  FriendRemarked: fc.record({ by: uid, friend: uid, remark: text }),
  Unfriended: fc.record({ by: uid, friend: uid }),
  GroupCreated: fc.record({
    ...{ gid, owner: uid, members: uids, name: fc.option(text) },
    ...{ avatar: fc.option(text), noticeMid: fc.option(mid) },
  }),
  MembersAdded: withNotice({ gid, by: uid, members: uids }),
  MemberJoined: withNotice({ gid, uid }),
  MembersRemoved: fc.record({ gid, by: uid, members: uids, faces: fc.option(uids) }),
  MemberLeft: fc.record({ gid, uid, faces: fc.option(uids) }),
  ManagerAppointed: fc.record({ gid, uid }),
  ManagerDismissed: fc.record({ gid, uid }),
  MemberMuted: withNotice({ gid, by: uid, uid, until: fc.maxSafeInteger() }),
  MemberUnmuted: withNotice({ gid, by: uid, uid }),
  GroupMuted: withNotice({ gid, by: uid }),
  GroupUnmuted: withNotice({ gid, by: uid }),
  GroupRemarked: fc.record({ gid, uid, remark: text }),
  GroupUpdated: fc.record({ gid, by: uid, name: text, avatar: text }, { requiredKeys: ['gid', 'by'] }),
  GroupTransferred: fc.record({ gid, from: uid, to: uid }),
  CodesRevoked: fc.record({ gid, by: uid }),
  MembersInvited: fc.record({
    gid,
    by: uid,
    invitations: fc.array(fc.record({ uid, applicationId }), { maxLength: 5 }),
  }),
  InvitationAnswered: fc.record({
    gid,
    uid,
    applicationId,
    answer: fc.constantFrom('agree' as const, 'refuse' as const),
  }),
  AllowanceUsed: fc.record({ uid, allowance: text, count: fc.integer({ min: 1, max: 1000 }) }),
  MembersReleased: fc.record({ gid, members: uids }),
  GroupDissolved: fc.record({ gid, by: uid, released: fc.boolean() }),
  MessageSent: fc.record(
    {
      conversation,
      mid,
      from: uid,
      content: text,
      quoteMid: mid,
      mentions: fc.array(fc.oneof(uid, fc.constant('all' as const))),
      uniqueId: text,
      contentHash: text,
      automatic: fc.boolean(),
    },
    { requiredKeys: ['conversation', 'mid', 'from', 'content'] },
  ),
  MessageRevoked: fc.record({ conversation, mid, sequence, by: uid }),
  MessageWithdrawn: fc.record({ conversation, mid, sequence }),
  MessageDeleted: fc.record({
    conversation,
    mid,
    sequence,
    by: uid,
    scope: fc.constantFrom('self' as const, 'all' as const),
  }),
  ReadTo: fc.record({ ...chat, mid, sequence: fc.maxSafeNat() }),
  UnreadMarked: fc.record({ ...chat, count: sequence }),
  ChatHidden: fc.record(chat),
  ChatShown: fc.record(chat),
  ChatPinned: fc.record(chat),
  ChatUnpinned: fc.record(chat),
  ReplyAdded: fc.record(reply),
  ReplyUpdated: fc.record(reply),
  ReplyDeleted: fc.record({ rid, uid }),
  AnnouncementSent: fc.record(
    { id: announcementId, content: text, uniqueId: text },
    { requiredKeys: ['id', 'content'] },
  ),
  AnnouncementRevoked: fc.record({ id: announcementId }),
  AnnouncementsSeen: fc.record({ uid, id: announcementId }),
  LoggedIn: access({ uid, session: text }),
  LoginFailed: access({ uid: fc.option(uid) }),
  PasswordChanged: access({
    uid,
    by: fc.constantFrom('server' as const, 'password' as const, 'code' as const),
  }),
  SessionEnded: access({
    uid,
    session: fc.option(text),
    why: fc.constantFrom(...(['logout', 'account disabled', 'crowded out'] as const)),
  }),
  SessionRevoked: access({ uid, session: fc.option(text) }),
  FileUploaded: access({ uid: fc.option(uid), path: text, bytes: fc.maxSafeNat() }),
  AuditUsed: access({ command: text, arguments: fc.array(text) }),
  EventSkipped: fc.record({
    ...{ stream: text, eventId: text, type: text, why: text },
    revision: fc.maxSafeNat(),
  }),
  SettingsChanged: fc.record({
    // JSON gives `__proto__` as a key of its own, which no schema lets pass.
    changes: fc.dictionary(
      text.filter((name) => name !== '__proto__'),
      fc.oneof(text, fc.maxSafeInteger()),
      { noNullPrototype: true },
    ),
  }),
};

const stored = { stream: streamName('a-1'), revision: 7, position: '5' as Position, recorded: 0 };

describe('every kind of event', () => {
  it('is known here', () => {
    expect(Object.keys(datas).sort()).toEqual(eventDefinitions.map(({ type }) => type).sort());
  });

  function roundTrips<Type extends EventType>(type: Type): void {
    it(`reads as it was written: ${type}`, () => {
      fc.assert(
        fc.property(datas[type], fc.maxSafeNat(), text, (data, time, word) => {
          const known = { key: word, for: 9, session: word, address: word, operator: word };
          const metadata = { time, actor: word, ...known, $correlationId: word, $causationId: word };
          const event = { type, data };
          const id = newEventId();
          const read = decode(recordedAs(encode(id, event, metadata), stored));
          expect(read).toEqual({
            ...event,
            id,
            stream: 'a-1',
            revision: 7,
            position: '5',
            metadata: { ...metadata, version: definitionOf(type)?.version },
          });
        }),
        { numRuns: 50 },
      );
    });
  }

  for (const { type } of eventDefinitions) roundTrips(type);
});
