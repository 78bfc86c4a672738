import { describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Uid } from '../../contracts/ids.ts';
import { readPage } from '../../services/queries/history.ts';
import { between, inGroup } from '../support/events.ts';
import { friend, groupOf, join, person, running, say } from './chats-harness.ts';

describe('pages of history', () => {
  const read = async (reader: Uid, place: Partial<Parameters<typeof readPage>[1]>) => {
    const page = { reader, conversation: between(1, 2), after: 0, before: null, limit: 3, ...place };
    return (await readPage(running.application.database, page)).map(({ sequence, message }) => ({
      sequence,
      content: message.content,
      quote: message.quote_content,
    }));
  };

  it('go back without a gap and without a repeat', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    for (let index = 1; index <= 8; index++)
      await say(index % 2 ? one : other, friend(index % 2 ? other : one), `${index}`);
    const conversation = between(one, other);
    const contents: string[][] = [];
    let before: number | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof read>> = await read(one, { conversation, before });
      if (page.length === 0) break;
      contents.push(page.map(({ content }) => content));
      before = page[0]?.sequence ?? null;
    }
    expect(contents).toEqual([
      ['6', '7', '8'],
      ['3', '4', '5'],
      ['1', '2'],
    ]);
  });

  it('quote nothing from before the reader joined', async () => {
    const [owner, member, late] = [await person('主'), await person('员'), await person('新')];
    const group = await groupOf(owner, member);
    const chat: Chat = { type: 'group', id: group };
    const quoted = await say(owner, chat, '原话');
    await join(group, late);
    await say(member, chat, '引用', quoted);
    const conversation = inGroup(group);
    expect(await read(member, { conversation })).toMatchObject([
      ...[{}, {}],
      { content: '引用', quote: '原话' },
    ]);
    expect(await read(late, { conversation, after: 2 })).toMatchObject([{}, { content: '引用', quote: '' }]);
  });
});
