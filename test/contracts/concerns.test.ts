import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concernsOf, concernsOfStream } from '../../contracts/events/concerns.ts';
import { eventDefinitions } from '../../contracts/events/index.ts';
import { type Decoded, tryDecode, UnreadableEvent } from '../../services/log/codec.ts';
import type { RecordedEvent } from '../../services/log/log.ts';
import { between, created, gid, mid, sent, uid } from '../support/events.ts';

const talk = between(1, 2);

/** Every example of every version of an event, as the program reads it today. */
const examples = readdirSync('test/events/fixtures').flatMap((name) => {
  const [type = '', version] = name.split('.');
  const fixture = JSON.parse(readFileSync(`test/events/fixtures/${name}`, 'utf8'));
  const metadata = { time: 0, actor: '9', version: Number(version), $correlationId: 'c', $causationId: 'c' };
  return fixture.examples.map((data: RecordedEvent['data']): Decoded => {
    const event = tryDecode({
      ...({ stream: 'x', revision: 0, id: 'x' } as RecordedEvent),
      type,
      data,
      metadata,
    });
    if (event instanceof UnreadableEvent) throw event;
    return event;
  });
});

describe('what an event is about', () => {
  it('is found for every example of every version of every type', () => {
    expect(new Set(examples.map(({ type }) => type)).size).toBe(eventDefinitions.length);
    for (const event of examples) {
      const { people, conversation, mid } = concernsOf(event);
      expect(new Set(people).size).toBe(people.length);
      expect(people.every((person) => Number.isSafeInteger(person))).toBe(true);
      expect(conversation === null || /^(f\d+-\d+|g\d+)$/.test(conversation)).toBe(true);
      expect(mid === null || Number.isSafeInteger(mid)).toBe(true);
    }
  });

  it('is, of a message to a friend, both people, their conversation and the message', () => {
    expect(concernsOf(sent(talk, 1, 10, 'x'))).toEqual({ people: [1, 2], conversation: talk, mid: 10 });
  });

  it('is, of a message to a group, the sender, the people mentioned and the group, not its members', () => {
    const data = { conversation: between(1, 2), mid: mid(10), from: uid(1), content: '' };
    const event = { ...data, conversation: 'g50' as typeof talk, mentions: [uid(3), uid(1), 'all' as const] };
    expect(concernsOf({ type: 'MessageSent', data: event })).toEqual({
      people: [1, 3],
      conversation: 'g50',
      mid: 10,
    });
  });

  it('is, of a new group, all its members', () => {
    expect(concernsOf(created(50, '群', 1, 2, 3))).toEqual({
      people: [1, 2, 3],
      conversation: 'g50',
      mid: null,
    });
  });

  it('is, of a removal, the person who removes and those who are removed', () => {
    const data = { gid: gid(50), by: uid(1), members: [uid(2), uid(3)], faces: [uid(1), uid(4)] };
    expect(concernsOf({ type: 'MembersRemoved', data })).toMatchObject({
      people: [1, 2, 3],
      conversation: 'g50',
    });
  });

  it('is, of a mute, the notice that it leaves', () => {
    const data = { gid: gid(50), by: uid(1), uid: uid(2), until: 0, noticeMid: mid(7) };
    expect(concernsOf({ type: 'MemberMuted', data })).toEqual({
      people: [1, 2],
      conversation: 'g50',
      mid: 7,
    });
  });
});

describe('what an event that cannot be read is about', () => {
  it.each([
    ['user-5', [5], null],
    ['inbox-7', [7], null],
    ['friendship-1-2', [1, 2], 'f1-2'],
    ['conversation-f1-2', [1, 2], 'f1-2'],
    ['conversation-g50', [], 'g50'],
    ['group-50', [], 'g50'],
  ])('is what the name of its stream %s says', (stream, people, conversation) => {
    expect(concernsOfStream(stream)).toEqual({ people, conversation, mid: null });
  });

  it.each([
    'setting',
    'skip',
    'user-',
    'user-x',
    'friendship-1',
    'group-0',
    'conversation-f1',
    'elsewhere-3',
    '',
  ])('is nothing that the name "%s" does not say', (stream) => {
    expect(concernsOfStream(stream).conversation).toBeNull();
  });
});
