import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Echo from 'laravel-echo';
import { chromium } from 'playwright-core';
import PusherServer from 'pusher';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { PusherClient, pusherOptions } from '../gateway/pusher-js.ts';
import { WebmanPush } from '../gateway/webman-push.ts';
import { afterAllTests } from '../support/at-end.ts';
import {
  befriended,
  createGroup,
  type Group,
  type Person,
  patiently,
  send,
} from '../support/conversation.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

/** The program as `npm start` runs it: Tom writes, and Jerry listens with one client after the other. */
let bubble: Standalone;
let tom: Person;
let jerry: Person;
let group: Group;
const atEnd = afterAllTests();
beforeAll(async () => {
  bubble = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
  [tom, jerry] = await befriended(bubble);
  group = await createGroup(bubble, tom, jerry);
});

type OnEvent = (channel: string, data: unknown) => void;

const channels = () => [`user-${jerry.uid}`, `group-${group.gid}`];
const options = () => pusherOptions(bubble.port, jerry.token);

/** Has a page of another origin run a script for each channel; it finds key, options and onEvent. */
async function inBrowser(script: string, onEvent: OnEvent): Promise<void> {
  const chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] });
  onTestFinished(() => chrome.close());
  const page = await chrome.newPage();
  await page.exposeFunction('onEvent', onEvent);
  for (const library of ['pusher-js/dist/web/pusher.js', 'laravel-echo/dist/echo.iife.js']) {
    await page.addScriptTag({
      path: fileURLToPath(new URL(`../../node_modules/${library}`, import.meta.url)),
    });
  }
  const given = JSON.stringify({ key: bubble.key, options: options(), channels: channels() });
  await page.evaluate(`(({ key, options, channels }) => Promise.all(channels.map(${script})))(${given})`);
}

const browser = '/usr/bin/chromium';
const inNode: Record<string, (onEvent: OnEvent) => Promise<void>> = {
  async 'pusher-js in Node'(onEvent) {
    const pusher = new PusherClient(bubble.key, options());
    onTestFinished(() => pusher.disconnect());
    for (const name of channels()) {
      const channel = pusher.subscribe(`private-${name}`);
      channel.bind('message', (data: unknown) => onEvent(name, data));
      await new Promise((resolve) => channel.bind('pusher:subscription_succeeded', resolve));
    }
  },
  async 'laravel-echo in Node'(onEvent) {
    const echo = new Echo({ broadcaster: 'pusher', client: new PusherClient(bubble.key, options()) });
    onTestFinished(() => echo.disconnect());
    for (const name of channels()) {
      const channel = echo.private(name).listen('.message', (data: unknown) => onEvent(name, data));
      await new Promise<void>((resolve) => channel.subscribed(resolve));
    }
  },
  async "webman's push client"(onEvent) {
    const auth = `${bubble.url}/plugin/webman/push/auth?token=${jerry.token}`;
    const url = `ws://127.0.0.1:${bubble.port}`;
    const names = channels().map((name) => `private-${name}`);
    const push = new WebmanPush({ url, app_key: bubble.key, auth }, names);
    onTestFinished(() => push.socket.close());
    for (const name of channels()) push.on(`private-${name} message`, (data) => onEvent(name, data));
    const last = `${names.at(-1)} pusher_internal:subscription_succeeded`;
    await new Promise((resolve) => push.once(last, resolve));
  },
};
const inPages: Record<string, (onEvent: OnEvent) => Promise<void>> = {
  'pusher-js in a browser': (onEvent) =>
    inBrowser(
      `(name) => new Promise((resolve, reject) => {
        window.pusher ??= new Pusher(key, options);
        const channel = window.pusher.subscribe('private-' + name);
        channel.bind('message', (data) => onEvent(name, data));
        channel.bind('pusher:subscription_succeeded', resolve);
        channel.bind('pusher:subscription_error', reject);
      })`,
      onEvent,
    ),
  'laravel-echo in a browser': (onEvent) =>
    inBrowser(
      `(name) => new Promise((resolve, reject) => {
        window.echo ??= new Echo.default({ broadcaster: 'pusher', key, ...options });
        window.echo.private(name).listen('.message', (data) => onEvent(name, data)).subscribed(resolve).error(reject);
      })`,
      onEvent,
    ),
};

describe.each(Object.entries(inNode))('%s', (_, listen) => {
  test('gets what calls of the API cause, once and in order', () => receivesTwo(listen));
});

describe.skipIf(!existsSync(browser)).each(Object.entries(inPages))('%s (chromium)', (_, listen) => {
  test('gets what calls of the API cause, once and in order', () => receivesTwo(listen), 60_000);
});

async function receivesTwo(listen: (onEvent: OnEvent) => Promise<void>): Promise<void> {
  const received: [string, unknown][] = [];
  await listen((channel, data) => received.push([channel, data]));
  await send(bubble, tom, jerry, '吃了吗');
  await send(bubble, tom, group, '大家好');
  await send(bubble, tom, jerry, '再见');
  const [between, inGroup] = channels();
  const message = (content: string) =>
    expect.objectContaining({ content, from: String(tom.uid), position: expect.any(String) });
  await expect
    .poll(() => received, patiently)
    .toEqual([
      [between, message('吃了吗')],
      [inGroup, message('大家好')],
      [between, message('再见')],
    ]);
}

test('pusher’s server library reaches pusher-js on channels of its own and of ours', async () => {
  const pusher = new PusherClient(bubble.key, options());
  onTestFinished(() => pusher.disconnect());
  const received: unknown[] = [];
  for (const name of ['news', `private-user-${jerry.uid}`]) {
    const channel = pusher.subscribe(name);
    channel.bind('announced', (data: unknown) => received.push([name, data]));
    await new Promise((resolve) => channel.bind('pusher:subscription_succeeded', resolve));
  }
  const server = new PusherServer({
    ...{ appId: 'bubble-im', key: bubble.key, secret: bubble.secret },
    ...{ host: '127.0.0.1', port: String(bubble.port) },
  });
  await server.trigger(['news', `private-user-${jerry.uid}`], 'announced', { text: '你好' });
  await expect
    .poll(() => received, patiently)
    .toEqual([
      ['news', { text: '你好' }],
      [`private-user-${jerry.uid}`, { text: '你好' }],
    ]);
});
