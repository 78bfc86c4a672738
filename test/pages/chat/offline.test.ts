import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { afterAllTests } from '../../support/at-end.ts';
import { preparedFolder } from '../../support/prepared-folder.ts';
import { type NetworkProxy, startProxy } from '../../support/proxy.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import {
  befriend,
  goTo,
  hasBrowser,
  type OpenPage,
  openAs,
  register,
  seesLast,
  shownTexts,
  signIn,
  startBrowser,
  write,
} from '../browser.ts';

describe.skipIf(!hasBrowser)('the chat page over a bad network (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let proxy: NetworkProxy;
  let tom: number;
  let jerry: number;
  let one: OpenPage;
  let other: OpenPage;

  beforeAll(async () => {
    running = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    proxy = await startProxy({ port: running.port, host: '127.0.0.1' }, atEnd);
    browser = await startBrowser(atEnd);
    tom = await register(running, 'tom', '汤姆');
    jerry = await register(running, 'jerry', '杰瑞');
    await befriend(running, tom, jerry);
    [one, other] = await Promise.all([
      openAs(browser, running.url, 'tom'),
      openAs(browser, `http://127.0.0.1:${proxy.port}`, 'jerry'),
    ]);
  }, 60_000);

  const say = (content: string) =>
    running.call('/api/message/send', 'server', { login_uid: tom, to: jerry, type: 'friend', content });

  test('lets two people chat; one who was offline misses nothing and gets nothing twice', async () => {
    await goTo(one.page, `/friend/${jerry}`);
    await goTo(other.page, `/friend/${tom}`);
    await write(one.page, '吃了吗 <b>&amp;</b>');
    await seesLast(other.page, ['吃了吗 <b>&amp;</b>']);
    await write(other.page, '吃了');
    await seesLast(one.page, ['吃了吗 <b>&amp;</b>', '吃了']);

    proxy.refuse(true);
    await other.page.getByRole('status').filter({ hasText: '正在连接…' }).waitFor();
    const missed = Array.from({ length: 45 }, (_, index) => `第${index}条`);
    for (const content of missed) await say(content);
    const offline = ['离线时写的', '离线时又写的'];
    for (const content of offline) await write(other.page, content);
    await expect.poll(() => other.page.getByText('发送失败').count()).toBe(offline.length);
    proxy.refuse(false);

    const all = ['吃了吗 <b>&amp;</b>', '吃了', ...missed, ...offline];
    await seesLast(other.page, all);
    await seesLast(one.page, all);
    expect((await shownTexts(other.page)).filter((text) => all.includes(text))).toHaveLength(all.length);
  });

  test('keeps what is shown in its place while older messages come in above it', async () => {
    await one.page.reload();
    await one.page.getByRole('log').getByText('离线时又写的').waitFor();
    const before = await shownTexts(one.page);
    const [mid, top] = await scrollUp(one.page);
    await expect.poll(async () => (await shownTexts(one.page)).length).toBeGreaterThan(before.length);
    const now = await one.page
      .locator(`[data-mid="${mid}"]`)
      .evaluate((shown) => shown.getBoundingClientRect().top);
    expect(Math.abs(now - top)).toBeLessThan(3);
    expect((await shownTexts(one.page)).slice(-before.length)).toEqual(before);
  });

  test('sends what was not sent after a new sign-in, if the token has ended', async () => {
    proxy.refuse(true);
    await write(other.page, '没发出去');
    await other.page.getByRole('alert').filter({ hasText: '发送失败' }).waitFor();
    await running.call('/api/login/logout', { token: await tokenOf(other.page) });
    proxy.refuse(false);
    await other.page.getByText('登录已失效').waitFor();
    await signIn(other.page, 'jerry');
    await seesLast(one.page, ['没发出去']);
    await seesLast(other.page, ['没发出去']);
    expect((await shownTexts(other.page)).filter((text) => text === '没发出去')).toHaveLength(1);
  });

  test('leaves nothing of a person in the browser when they sign out', async () => {
    await goTo(one.page, '/me');
    await one.page.getByRole('button', { name: '退出登录' }).click();
    await one.page.getByRole('button', { name: '登录', exact: true }).waitFor();
    const kept = await one.page.evaluate(() => [
      ...Object.keys(localStorage),
      ...Object.keys(sessionStorage),
    ]);
    expect(kept.filter((key) => key.startsWith('bubble-im'))).toEqual([]);
    // What a token that has ended is answered.
    const complaints = [...one.complaints, ...other.complaints].filter((each) => !each.includes('403'));
    expect(complaints).toEqual([]);
  });
});

/** Scrolls the history to its top. @returns the mid and the place of the message that is shown first */
async function scrollUp(page: Page): Promise<[mid: string, top: number]> {
  // A person scrolls what was drawn: until then the page itself goes to the end.
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  const place = await page.getByRole('log').evaluate((frame) => {
    frame.scrollTop = 0;
    const first = frame.querySelector('[data-mid]');
    return [first?.getAttribute('data-mid'), first?.getBoundingClientRect().top];
  });
  return z.tuple([z.string(), z.number()]).parse(place);
}

async function tokenOf(page: Page): Promise<string> {
  const kept = await page.evaluate(() => sessionStorage.getItem('bubble-im session'));
  return z.object({ token: z.string() }).parse(JSON.parse(kept ?? '')).token;
}
