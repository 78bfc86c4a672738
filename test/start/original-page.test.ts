import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { afterAllTests } from '../support/at-end.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

/*
 * A page of the original product on the program's own origin: it knows the address, logs in by cookie, and takes
 * appkey and ws_address from the settings. It calls as jQuery does, with forms and without a token.
 */

const browser = '/usr/bin/chromium';
/** webman's own push.js is no package: those who have it name its path here. */
const webmanPush = process.env.WEBMAN_PUSH_JS;

const Envelope = z.object({ code: z.literal(0), msg: z.string(), data: z.unknown() });
type Parameters = Readonly<Record<string, string | number | readonly number[]>>;

/** Someone with the page open. */
class Visitor {
  readonly page: Page;
  /** What the page received: the channel, the event, and its data. */
  readonly heard: { channel: string; event: string; data: unknown }[] = [];
  uid = 0;

  constructor(page: Page) {
    this.page = page;
  }

  /** What the call answers; fails for every code but 0. */
  async ask(method: 'GET' | 'POST', path: string, parameters: Parameters = {}): Promise<unknown> {
    const form = Object.entries(parameters).flatMap(([name, value]) =>
      typeof value === 'object' ? value.map((one) => [`${name}[]`, `${one}`]) : [[name, `${value}`]],
    );
    const answer = await this.page.evaluate(
      async ([how, where, given]) => {
        const fields = new URLSearchParams(given);
        const headers = { 'x-requested-with': 'XMLHttpRequest' };
        const response =
          how === 'GET'
            ? await fetch(`${where}?${fields}`, { headers })
            : await fetch(where, { method: how, body: fields, headers });
        return response.json();
      },
      [method, path, form] as const,
    );
    return Envelope.parse(answer, { error: () => `${path}: ${JSON.stringify(answer)}` }).data;
  }

  /** Waits until the page has received an event. @returns its data */
  async receives(channel: string, event: string): Promise<unknown> {
    const found = () => this.heard.find((one) => one.channel === channel && one.event === event);
    await vi.waitUntil(found, { timeout: 20_000, interval: 20 });
    return found()?.data;
  }
}

let bubble: Standalone;
let chrome: Browser;

describe.skipIf(!existsSync(browser))('a page of the original product, in a browser (chromium)', () => {
  const atEnd = afterAllTests();
  let tom: Visitor;
  let jerry: Visitor;

  beforeAll(async () => {
    bubble = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] });
    atEnd(() => chrome.close());
  }, 60_000);
  beforeEach(async () => {
    tom = await visit('tom');
    jerry = await visit('jerry');
    const friends = { login_uid: tom.uid, friend_uid: jerry.uid };
    expect(await bubble.call('/api/friend/add', 'server', friends)).toMatchObject({ code: 0 });
  });

  let accounts = 0;
  async function visit(nickname: string): Promise<Visitor> {
    const account = { username: `${nickname}${++accounts}`, nickname, password: 'secret-1' };
    await bubble.call('/api/user/add', 'server', account);
    // The document is an answer of the API, whose content security policy is none of the page's.
    const context = await chrome.newContext({ bypassCSP: true });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(`${bubble.url}/h5/pop/getsetting`);
    const visitor = new Visitor(page);
    const { username, password } = account;
    const logged = await visitor.ask('POST', '/h5/login/check', { username, password });
    expect(logged).toMatchObject({ token: expect.any(String), sso: '' });
    visitor.uid = z.object({ uid: z.int() }).parse(await visitor.ask('GET', '/h5/user/getuserinfo')).uid;
    await page.exposeFunction('hear', (channel: string, event: string, data: unknown) => {
      visitor.heard.push({ channel, event, data });
    });
    return visitor;
  }

  /** How the page opens its socket, by the library that it brings; each resolves once it is subscribed. */
  const libraries = {
    'pusher-js 3.2.4': async ({ page }: Visitor, channels: readonly string[]) => {
      const path = fileURLToPath(
        new URL('../../node_modules/pusher-js-3/dist/web/pusher.js', import.meta.url),
      );
      await page.addScriptTag({ path });
      await open(page, channels, ({ key, address }) => {
        const [, host = '', port = ''] = address.split(':');
        const options = { wsHost: host.slice(2), wsPort: Number(port), encrypted: false };
        return `new Pusher('${key}', ${JSON.stringify({
          ...options,
          ...{ enabledTransports: ['ws'], disableStats: true, authEndpoint: '/h5/push/auth' },
        })})`;
      });
    },
    'webman’s push.js': async ({ page }: Visitor, channels: readonly string[]) => {
      await page.addScriptTag({ content: await readFile(webmanPush ?? '', 'utf8') });
      await open(page, channels, ({ key, address }) => {
        const options = { url: address, app_key: key, auth: '/plugin/webman/push/auth' };
        return `new Push(${JSON.stringify(options)})`;
      });
    },
  };

  const Address = z.object({ appkey: z.string(), ws_address: z.string() });

  /** Both libraries give channels of one shape: `on` or `bind`, and an event once they are subscribed. */
  async function open(
    page: Page,
    channels: readonly string[],
    connect: (setting: { key: string; address: string }) => string,
  ): Promise<void> {
    const answer = await page.evaluate(async () => (await fetch('/h5/pop/getsetting')).json());
    const { appkey: key, ws_address: address } = Address.parse(Envelope.parse(answer).data);
    expect(address).toMatch(/^ws:\/\/[^:]+:\d+$/);
    const events = ['message', 'addGroup', 'removeGroup', 'update', 'revoke'];
    await page.evaluate(`(() => {
      const connection = ${connect({ key, address })};
      return Promise.all(${JSON.stringify(channels)}.map((name) => new Promise((resolve) => {
        const channel = connection.subscribe(name);
        const on = (event, heard) => (channel.bind ? channel.bind(event, heard) : channel.on(event, heard));
        on('pusher:subscription_succeeded', () => resolve());
        for (const event of ${JSON.stringify(events)}) on(event, (data) => hear(name, event, data));
      })));
    })()`);
  }

  const Made = z.object({ gid: z.string() });
  const Home = z.object({ chatting: z.record(z.string(), z.unknown()), setting: z.object({}).loose() });
  const History = z.array(z.object({ mid: z.int(), content: z.string() }).loose());

  describe.each(Object.entries(libraries))('with %s', (name, listen) => {
    test.skipIf(name.startsWith('webman') && !webmanPush)(
      'gets the events of its own channel and its groups, known by the cookie alone',
      async () => {
        const { gid } = Made.parse(await tom.ask('POST', '/h5/group/create', { members: [jerry.uid] }));
        await listen(jerry, [`user-${jerry.uid}`, `group-${gid}`]);
        await tom.ask('POST', '/h5/message/send', { to: jerry.uid, type: 'friend', content: '你好' });
        await tom.ask('POST', '/h5/message/send', { to: gid, type: 'group', content: '大家好' });
        expect(await jerry.receives(`user-${jerry.uid}`, 'message')).toMatchObject({ content: '你好' });
        expect(await jerry.receives(`group-${gid}`, 'message')).toMatchObject({ content: '大家好' });
      },
    );
  });

  test('does all that people do on it, and meets no error', async () => {
    await libraries['pusher-js 3.2.4'](jerry, [`user-${jerry.uid}`]);
    const home = Home.parse(await jerry.ask('GET', '/h5/pop/get'));
    expect(Object.keys(home.chatting)).toEqual([]);
    // A bot sends the seconds of now: two texts within one second are two messages.
    const send = { to: jerry.uid, type: 'friend', uniqueId: Math.floor(Date.now() / 1000) };
    await tom.ask('POST', '/h5/message/send', { ...send, content: '一' });
    await tom.ask('POST', '/h5/message/send', { ...send, content: '二' });
    expect(await jerry.receives(`user-${jerry.uid}`, 'message')).toMatchObject({ from: String(tom.uid) });
    const chat = { id: tom.uid, type: 'friend' };
    const newest = History.parse(await jerry.ask('GET', '/h5/message/get', { ...chat, limit: 1 }));
    expect(newest).toMatchObject([{ content: '二' }]);
    const older = await jerry.ask('GET', '/h5/message/get', { ...chat, mid: newest[0]?.mid ?? 0 });
    expect(older).toMatchObject([{ content: '一' }]);
    await jerry.ask('POST', '/h5/message/updateLastReadTime', chat);

    const { gid } = Made.parse(await tom.ask('POST', '/h5/group/create', { members: [jerry.uid] }));
    expect(await jerry.receives(`user-${jerry.uid}`, 'addGroup')).toMatchObject({ gid: Number(gid) });
    await vi.waitUntil(() => jerry.heard.some(({ data }) => isNotice(data, gid)), { timeout: 20_000 });
    const ofGroup = { id: gid, type: 'group' };
    expect(History.parse(await jerry.ask('GET', '/h5/message/get', ofGroup))).toMatchObject([
      { content: 'tom创建了群聊,邀请了jerry', sub_type: 'notice' },
    ]);
    expect(await jerry.ask('GET', '/h5/group/detail', { gid, simple: 1 })).toMatchObject({
      groupname: '群聊(tom,jerry)',
    });
    expect(await jerry.ask('GET', '/h5/group/members', { gid, pinyin: 1 })).toMatchObject({
      J: { [jerry.uid]: { name: 'jerry' } },
      T: { [tom.uid]: { name: 'tom' } },
    });
    expect(await tom.ask('GET', '/h5/user/detail', { uid: jerry.uid })).toMatchObject({ is_friend: true });
    await tom.ask('POST', '/h5/group/forbiddenuser', { gid, uid: jerry.uid, time: 60 });
    await tom.ask('POST', '/h5/group/forbiddenuser', { gid, uid: jerry.uid, time: -1 });
    await tom.ask('POST', '/h5/group/forbiddengroup', { gid });
    await tom.ask('POST', '/h5/group/chattinggroup', { gid });
    await jerry.ask('POST', '/h5/message/send', { ...{ to: gid, type: 'group' }, content: '在' });
    await tom.ask('POST', '/h5/group/memberdel', { gid, members: [jerry.uid] });
    expect(await jerry.receives(`user-${jerry.uid}`, 'removeGroup')).toMatchObject({ gid: Number(gid) });
    // The page is still open on the group, and goes on asking.
    expect(await jerry.ask('GET', '/h5/message/get', ofGroup)).toEqual([]);
    await jerry.ask('POST', '/h5/message/updateLastReadTime', ofGroup);
    await tom.ask('POST', '/h5/group/memberadd', { gid, members: [jerry.uid] });
    await jerry.ask('POST', '/h5/group/leave', { gid });
  });

  const isNotice = (data: unknown, gid: string) =>
    z.object({ to: z.literal(gid), type: z.literal('group'), sub_type: z.literal('notice') }).safeParse(data)
      .success;
});
