import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Message } from '../../contracts/http/message.ts';
import { revokedTexts } from '../../contracts/message-texts.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { decode } from '../../services/log/codec.ts';
import { type RunningApplication, serverKey, startApplication, testApp } from '../support/application.ts';
import { call, createGroup, done, type Person, person, refusedWith, two } from '../support/client.ts';

let now = Date.UTC(2024, 0, 1);
let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication({ now: () => now });
});
afterAll(() => running.stop());

const Mid = z.object({ mid: z.int() });
const day = 86_400_000;

type Named = { readonly id: number; readonly type: 'friend' | 'group' };

async function say(from: Person, { id, type }: Named, content: string, more = {}): Promise<number> {
  return Mid.parse((await from.post('/message/send', { to: id, type, content, ...more })).data).mid;
}
const withdraw = (chat: Named, mid: number) => call(running, 'POST', '/message/revoke', { ...chat, mid });
const history = async (reader: Person, chat: Named) =>
  z.array(Message).parse((await reader.get('/message/get', chat)).data);

describe('the server’s key that acts for nobody', () => {
  test('revokes a message between two people long after the time for it, named by either of them', async () => {
    const [tom, jerry] = await two(running);
    const chat = { id: jerry.uid, type: 'friend' } as const;
    const first = await say(tom, chat, '违规');
    const quoting = await say(jerry, { id: tom.uid, type: 'friend' }, '引用', { quote_mid: first });
    now += 30 * day;
    expect(await tom.post('/message/revoke', { ...chat, mid: first })).toMatchObject({ code: 505 });
    expect(await withdraw({ ...chat, id: tom.uid }, first)).toEqual(done);
    expect(await withdraw(chat, first)).toEqual(done);
    for (const [reader, other] of [
      [tom, jerry],
      [jerry, tom],
    ] as const) {
      expect(await history(reader, { id: other.uid, type: 'friend' })).toMatchObject([
        { mid: first, content: revokedTexts.withdrawn, sub_type: 'notice' },
        { mid: quoting, quote_content: revokedTexts.withdrawn },
      ]);
    }
    const pair = [tom.uid, jerry.uid].sort((one, other) => one - other).join('-');
    const records = [];
    const stream = streamName(`conversation-f${pair}`);
    for await (const record of running.application.log.readStream(stream)) records.push(decode(record));
    const withdrawn = records.filter(({ type }) => type === 'MessageWithdrawn');
    expect(withdrawn).toHaveLength(1);
    expect(withdrawn[0]?.metadata).toMatchObject({ actor: 'server', key: testApp.key });
    expect(withdrawn[0]?.metadata).not.toHaveProperty('for');
  });

  test('revokes a message of a group, whose members get a push that names nobody', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom, jerry);
    const chat = { id: gid, type: 'group' } as const;
    const mid = await say(jerry, chat, '违规');
    const before = z.object({ position: z.string() }).parse((await tom.get('/message/sync')).data).position;
    expect(await withdraw(chat, mid)).toEqual(done);
    const { data } = await tom.get('/message/sync', { since: before });
    expect(data).toMatchObject({
      events: [{ event: 'revoke', data: { type: 'group', id: gid, mid, uid: 0 } }],
    });
    expect(await tom.get('/pop/get')).toMatchObject({
      data: { chatting: { [`group${gid}`]: { items: [{ content: revokedTexts.withdrawn }] } } },
    });
    expect(await jerry.post('/message/revoke', { ...chat, mid })).toEqual(done);
    expect((await history(tom, chat)).at(-1)).toMatchObject({ content: revokedTexts.withdrawn });
    const question = `message ${mid}`;
    const explained = await running.server.inject({
      ...{ url: '/audit/explain', query: { question }, headers: serverKey },
    });
    expect(explained.json()).toMatchObject({
      code: 0,
      data: { answer: expect.stringContaining("was withdrawn by the server's key") },
    });
  });

  test('finds no message in another chat than its own, and revokes no notice', async () => {
    const [tom, jerry] = await two(running);
    const other = await person(running, 'spike');
    const chat = { id: jerry.uid, type: 'friend' } as const;
    const mid = await say(tom, chat, '在吗');
    for (const wrong of [
      { id: other.uid, type: 'friend' },
      { id: jerry.uid, type: 'group' },
    ] as const) {
      expect(await withdraw(wrong, mid)).toMatchObject({ code: 404 });
    }
    expect(await withdraw(chat, 999_999)).toMatchObject({ code: 404 });
    const gid = await createGroup(tom, jerry);
    const [notice] = await history(tom, { id: gid, type: 'group' });
    expect(await withdraw({ id: gid, type: 'group' }, notice?.mid ?? 0)).toEqual({
      ...refusedWith(2, '系统消息不能撤回'),
    });
  });
});

test('the server’s key that acts for a person revokes by that person’s rules', async () => {
  const [tom, jerry] = await two(running);
  const mid = await say(tom, { id: jerry.uid, type: 'friend' }, '在吗');
  expect(await jerry.post('/message/revoke', { id: tom.uid, type: 'friend', mid })).toMatchObject({
    code: 2,
  });
});
