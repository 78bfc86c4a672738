import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { type NetworkProxy, startProxy } from '../support/proxy.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';
import {
  befriend,
  hasBrowser,
  openChatPage,
  register,
  seesLast,
  shownTexts,
  signIn,
  startBrowser,
  write,
} from './browser.ts';

describe.skipIf(!hasBrowser)('the chat page (chromium)', () => {
  const ends: (() => unknown)[] = [];
  const atEnd = (end: () => unknown) => ends.push(end);
  let running: Standalone;
  let browser: Browser;
  let proxy: NetworkProxy;
  let tom: number;
  let jerry: number;

  beforeAll(async () => {
    running = await startStandalone(await temporaryFolder(atEnd), {}, atEnd);
    proxy = await startProxy({ port: running.port, host: '127.0.0.1' }, atEnd);
    browser = await startBrowser();
    tom = await register(running, 'tom', '汤姆');
    jerry = await register(running, 'jerry', '杰瑞');
    await befriend(running, tom, jerry);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    for (const end of ends.reverse()) await end();
  });

  test('lets two people chat; one who was offline misses nothing and gets nothing twice', async () => {
    const [one, other] = await Promise.all([
      openChatPage(browser, running.url),
      openChatPage(browser, `http://127.0.0.1:${proxy.port}`),
    ]);
    await Promise.all([signIn(one.page, 'tom'), signIn(other.page, 'jerry')]);
    await one.page.goto(`${running.url}/chat/#/friend/${jerry}`);
    await other.page.goto(`http://127.0.0.1:${proxy.port}/chat/#/friend/${tom}`);
    await write(one.page, '吃了吗 <b>&amp;</b>');
    await seesLast(other.page, ['吃了吗 <b>&amp;</b>']);
    await write(other.page, '吃了');
    await seesLast(one.page, ['吃了吗 <b>&amp;</b>', '吃了']);

    proxy.refuse(true);
    await other.page.getByText('正在连接…').waitFor();
    const missed = Array.from({ length: 45 }, (_, index) => `第${index}条`);
    for (const content of missed)
      await running.call('/api/message/send', 'server', {
        login_uid: tom,
        to: jerry,
        type: 'friend',
        content,
      });
    await write(other.page, '离线时写的');
    await other.page.getByText('发送失败').waitFor();
    proxy.refuse(false);

    const all = ['吃了吗 <b>&amp;</b>', '吃了', ...missed, '离线时写的'];
    await seesLast(other.page, all);
    await seesLast(one.page, all);
    expect((await shownTexts(other.page)).filter((text) => all.includes(text))).toHaveLength(all.length);
    expect([...one.complaints, ...other.complaints]).toEqual([]);
  }, 90_000);
});
