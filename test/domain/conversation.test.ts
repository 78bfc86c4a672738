import { describe, expect, it } from 'vitest';
import type { Settings } from '../../contracts/settings.ts';
import { type Addressee, conversationStream, sendMessage } from '../../services/domain/conversation.ts';
import { between, inGroup, mid, uid } from '../support/events.ts';
import { friend, inThe, manager, me, settings } from './conversation-states.ts';

describe('a message', () => {
  const say = (content: string, to: Addressee, changes: Partial<Settings> = {}, from = me) => {
    const conversation = to.type === 'group' ? inGroup(50) : between(1, 2);
    return sendMessage({ conversation, mid: mid(5), from, content }, to, settings(changes)).data;
  };

  it('goes to the stream of its conversation', () => {
    expect(conversationStream(between(2, 1))).toBe('conversation-f1-2');
    expect(conversationStream(inGroup(50))).toBe('conversation-g50');
  });

  it('is stored as it came, with any content', () => {
    const contents = [
      '[表情5]',
      '![图](//a/b.png)',
      'file[甲\t7.15 KB](//a/b)',
      'voice(//a/b.mp3)',
      '<b>',
      '\u0000',
      '\ud800',
      '',
    ];
    for (const content of contents) {
      expect(say(content, friend(true))).toEqual({
        conversation: 'f1-2',
        mid: 5,
        from: 1,
        content,
      });
    }
  });

  it('is stored without dirty words', () => {
    expect(say('说坏话', friend(true), { dirty_words: '坏话' })).toMatchObject({ content: '说**' });
  });

  it('carries what it quotes, and its client’s own id with the hash', () => {
    const draft = { conversation: between(1, 2), mid: mid(5), from: me, content: 'x' };
    expect(
      sendMessage(
        { ...draft, quoteMid: mid(4), uniqueId: 'u', contentHash: 'h', automatic: true },
        friend(true),
        settings(),
      ).data,
    ).toEqual({ ...draft, quoteMid: 4, uniqueId: 'u', contentHash: 'h', automatic: true });
  });

  it('mentions members by uid: each once, no outsider, not the sender', () => {
    expect(say('@[乙](2) @[丙](3)@[乙](2) @[外](9) @[我](1)', inThe())).toMatchObject({ mentions: [2, 3] });
    expect(say('@[外](9) @[我](1) @[x](0) @[x](99999999999999999)', inThe())).not.toHaveProperty('mentions');
  });

  it('mentions nobody between two', () => {
    expect(say('@[乙](2) @all', friend(true))).not.toHaveProperty('mentions');
  });

  it('mentions all if the owner or a manager writes it', () => {
    expect(say('@all 开会', inThe(), {}, uid(4))).toMatchObject({ mentions: ['all'] });
    expect(say('大家好@all开会', inThe(manager), {}, uid(3))).toMatchObject({ mentions: ['all'] });
    expect(say('@all', inThe(manager), {}, uid(2))).not.toHaveProperty('mentions');
  });

  it('mentions all only by a separate @all, not within a word or an address', () => {
    for (const content of ['@allen', '@all_', 'tom@all.com', '@ all', '@ALL']) {
      expect(say(content, inThe(), {}, uid(4)), content).not.toHaveProperty('mentions');
    }
  });

  it('mentions those whom a dirty word hides', () => {
    expect(say('@[坏](2)', inThe(), { dirty_words: '坏' })).toMatchObject({
      content: '@[*](2)',
      mentions: [2],
    });
  });
});
