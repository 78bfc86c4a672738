import { describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { type Removal, removeMessage } from '../../services/commands/remove-message.ts';
import { context } from '../support/acting.ts';
import { chatsIn, friend, groupOf, join, person, running, say } from './chats-harness.ts';

describe('the last message of a chat', () => {
  const last = async (who: Uid, chat: string) =>
    (await chatsIn(who))[chat]?.items.map(({ content }) => content);

  async function take(taking: Removal, by: Uid, chat: Chat, mid: Mid): Promise<void> {
    await removeMessage(running.application, taking, { by, chat, mid }, context(by));
    await running.shown();
  }

  it('is shown whole, at any length', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    const content = '长'.repeat(2000);
    await say(one, friend(other), content);
    expect(await last(other, `friend${one}`)).toEqual([content]);
  });

  it('says so if it was revoked', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    await take('revoke', one, friend(other), await say(one, friend(other), '1'));
    expect(await last(other, `friend${one}`)).toEqual(['此消息已撤回']);
  });

  it('is the one before if the last was deleted for all', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    const first = await say(one, friend(other), '1');
    await take('delete for all', one, friend(other), await say(one, friend(other), '2'));
    for (const [who, whom] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(await last(who, `friend${whom}`)).toEqual(['1']);
    }
    await take('delete for all', one, friend(other), first);
    expect(await last(other, `friend${one}`)).toEqual([]);
    await say(other, friend(one), '3');
    expect(await last(one, `friend${other}`)).toEqual(['3']);
  });

  it('is the one before for a person who deleted the last for themselves', async () => {
    const [one, other] = [await person('甲'), await person('乙')];
    await say(one, friend(other), '1');
    await take('delete for self', other, friend(one), await say(one, friend(other), '2'));
    expect(await last(other, `friend${one}`)).toEqual(['1']);
    expect(await last(one, `friend${other}`)).toEqual(['2']);
    await say(one, friend(other), '3');
    expect(await last(other, `friend${one}`)).toEqual(['3']);
  });

  it('is never one from before the reader joined, even after deletions', async () => {
    const [owner, late] = [await person('主'), await person('新')];
    const group = await groupOf(owner);
    const chat: Chat = { type: 'group', id: group };
    await say(owner, chat, '从前');
    await join(group, late);
    const mid = await say(owner, chat, '现在');
    expect(await last(late, `group${group}`)).toEqual(['现在']);
    await take('delete for all', owner, chat, mid);
    const [notice] = (await chatsIn(late))[`group${group}`]?.items ?? [];
    expect(notice).toMatchObject({ sub_type: 'notice' });
  });
});
