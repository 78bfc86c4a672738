import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Mid } from '../../contracts/ids.ts';
import { ContentHashes } from '../../services/commands/content-hashes.ts';
import { removeMessage } from '../../services/commands/remove-message.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import * as groupMutes from '../../services/domain/group-mutes.ts';
import { context, register } from '../support/acting.ts';
import { between, mid } from '../support/events.ts';
import { friend, inThe, useMessaging } from './messaging-harness.ts';

const world = useMessaging();
const { send, twoPeople, groupOf, account, change, whileSet, said, member } = world;

describe('sending a message again', () => {
  it('returns the same mid, and stores one message', async () => {
    const [one, other] = await twoPeople();
    const first = await send(one, friend(other), '好', { uniqueId: 'a' });
    const again = await send(one, friend(other), '好', { uniqueId: 'a' });
    expect(again.mid).toBe(first.mid);
    expect(await said(one, other)).toEqual([`${one}: 好`]);
  });

  it('stores another message for another sender, conversation or uniqueId', async () => {
    const [one, other] = await twoPeople();
    const third = await register(world.application, '丙');
    const group = await groupOf(one);
    const mids = await Promise.all([
      send(one, friend(other), '好', { uniqueId: 'a' }),
      send(other, friend(one), '好', { uniqueId: 'a' }),
      send(one, friend(third), '好', { uniqueId: 'a' }),
      send(one, inThe(group), '好', { uniqueId: 'a' }),
      send(one, friend(other), '好', { uniqueId: 'b' }),
      send(one, friend(other), '好'),
      send(one, friend(other), '好'),
    ]);
    expect(new Set(mids.map((sent) => sent.mid)).size).toBe(7);
  });

  it('returns the same mid to twenty requests at once, over two processes', async () => {
    const another = await world.running.another();
    const [one, other] = await twoPeople();
    const twenty = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? world.application : another));
    const sent = await Promise.all(
      twenty.map((by) => send(one, friend(other), '好', { uniqueId: 'once' }, by)),
    );
    expect(new Set(sent.map((result) => result.mid)).size).toBe(1);
    expect(await said(one, other)).toEqual([`${one}: 好`]);
  });

  it('is refused with other content; the content is compared before words are starred out', async () => {
    const [one, other] = await twoPeople();
    await whileSet({ dirty_words: '坏' }, { dirty_words: '' }, async () => {
      const first = await send(one, friend(other), '坏', { uniqueId: 'a' });
      expect((await send(one, friend(other), '坏', { uniqueId: 'a' })).mid).toBe(first.mid);
      await expect(send(one, friend(other), '*', { uniqueId: 'a' })).rejects.toMatchObject({
        reason: 'illegal',
      });
    });
    expect(await said(one, other)).toEqual([`${one}: *`]);
  });

  /** Sends a text under a uniqueId, and has the log hold another hash of it than was recorded. */
  async function sentWithHash(recorded: string) {
    const [one, other] = await twoPeople();
    const { mid } = await send(one, friend(other), '好', { uniqueId: 'a' });
    await world.application.pool.query(
      `update log.events set data = jsonb_set(data::jsonb, '{contentHash}', to_jsonb($1::text))::text
        where stream = $2`,
      [recorded, `conversation-${between(one, other)}`],
    );
    const again = (text: string) => send(one, friend(other), text, { uniqueId: 'a' });
    return { mid, again };
  }

  it('is recognised by the unkeyed hash that older programs recorded', async () => {
    const { mid, again } = await sentWithHash(hash('sha256', '好', 'hex'));
    expect((await again('好')).mid).toBe(mid);
    await expect(again('坏')).rejects.toMatchObject({ reason: 'illegal' });
  });

  it('is recognised by its text if the hash was made with an APP_SECRET that was replaced', async () => {
    const { mid, again } = await sentWithHash(new ContentHashes('another secret', 'x').of('好'));
    expect((await again('好')).mid).toBe(mid);
    await expect(again('坏')).rejects.toMatchObject({ reason: 'illegal' });
  });

  it('leaves a hash in the log that cannot be made without the APP_SECRET', async () => {
    const [one, other] = await twoPeople();
    await send(one, friend(other), '好', { uniqueId: 'a' });
    const stream = streamName(`conversation-${between(one, other)}`);
    const recorded = [];
    for await (const { data } of world.application.log.readStream(stream)) recorded.push(data.contentHash);
    expect(recorded).toEqual([expect.stringMatching(/^[\w-]{8}\.[\w-]{43}$/)]);
    expect(String(recorded[0])).not.toContain(hash('sha256', '好', 'base64url'));
  });

  it.each([
    ['7', 2],
    ['123456789012345', 2],
    ['1234567890123456', 1],
    ['1559290158.1', 1],
  ])(
    'under the uniqueId %s stores %i messages: up to 15 digits are a counter of the client',
    async (uniqueId, times) => {
      const [one, other] = await twoPeople();
      const mids = [];
      for (const _ of [1, 2]) mids.push((await send(one, friend(other), '好', { uniqueId })).mid);
      expect(new Set(mids).size).toBe(times);
      expect(await said(one, other)).toHaveLength(times);
    },
  );

  it('returns the mid even if sending would be refused now', async () => {
    const [one, other] = await twoPeople();
    const group = await groupOf(other, one);
    const inPrivate = await send(one, friend(other), '好', { uniqueId: 'p' });
    const { mid: inGroupMid } = await send(one, inThe(group), '好', { uniqueId: 'g' });
    const again = (to: Chat, uniqueId: string): Promise<Mid> =>
      send(one, to, '好', { uniqueId }).then((sent) => sent.mid);

    await change(group, (state) =>
      groupMutes.muteMember(state, {
        ...{ by: other, uid: one, time: 600, now: Math.floor(Date.now() / 1000) },
        mid: mid(800_002),
      }),
    );
    expect(await again(inThe(group), 'g')).toBe(inGroupMid);
    await expect(send(one, inThe(group), '好', { uniqueId: 'new' })).rejects.toMatchObject({
      reason: 'muted',
    });
    await change(group, (state) => groupMembers.removeMembers(state, { by: other, members: [one] }));
    expect(await again(inThe(group), 'g')).toBe(inGroupMid);
    await change(group, (state) => groups.dissolveGroup(state, { by: other }));
    expect(await again(inThe(group), 'g')).toBe(inGroupMid);
    await whileSet(
      { private_chat: 'off', group_chat: 'off' },
      { private_chat: 'on', group_chat: 'on' },
      async () => {
        expect(await again(friend(other), 'p')).toBe(inPrivate.mid);
        expect(await again(inThe(group), 'g')).toBe(inGroupMid);
      },
    );
    await account(one, { disabled: true });
    expect(await again(friend(other), 'p')).toBe(inPrivate.mid);
    await expect(send(one, friend(other), '别的', { uniqueId: 'p' })).rejects.toMatchObject({
      reason: 'illegal',
    });
    await expect(send(one, friend(other), '好', { uniqueId: 'new' })).rejects.toMatchObject({
      reason: 'disabled',
    });
  });

  it('returns the mid if the quoted message was deleted since', async () => {
    const [one, other] = await twoPeople();
    const quoted = await send(one, friend(other), '原话');
    await world.running.shown();
    const more = { uniqueId: 'q', quoteMid: quoted.mid };
    const first = await send(one, friend(other), '引用', more);
    await removeMessage(
      world.application,
      'delete for all',
      { by: one, chat: friend(other), mid: quoted.mid },
      context(one),
    );
    await world.running.shown();
    expect((await send(one, friend(other), '引用', more)).mid).toBe(first.mid);
  });

  it('returns the mid of the message, not of an automatic answer', async () => {
    const [one] = await twoPeople();
    const service = await member();
    const first = await send(one, friend(service), '几点', { uniqueId: 'a' });
    const again = await send(one, friend(service), '几点', { uniqueId: 'a' });
    expect(again.mid).toBe(first.mid);
    expect(await said(one, service)).toEqual([`${one}: 几点`, `${service}: 欢迎`, `${service}: 九点`]);
  });
});
