import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterAllTests } from '../../support/at-end.ts';
import { preparedFolder } from '../../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import {
  act,
  befriend,
  goTo,
  hasBrowser,
  numberOf,
  type OpenPage,
  openAs,
  openChatPage,
  register,
  seesLast,
  startBrowser,
  write,
} from '../browser.ts';

/** Markup that would run if a page took it as HTML. */
const hostile = '<img src=x onerror=alert(1)>';

describe.skipIf(!hasBrowser)('messages on the chat page (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let tom: number;
  let jerry: number;
  let one: OpenPage;
  let other: OpenPage;

  beforeAll(async () => {
    running = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    browser = await startBrowser(atEnd);
    tom = await register(running, 'tom', '汤姆');
    jerry = await register(running, 'jerry', hostile);
    await befriend(running, tom, jerry);
    [one, other] = await Promise.all([
      openAs(browser, running.url, 'tom'),
      openAs(browser, running.url, 'jerry'),
    ]);
    await goTo(one.page, `/friend/${jerry}`);
  }, 60_000);

  test('count as unread in the list and the title until the chat is opened, and as read from then on', async () => {
    await write(one.page, '在吗');
    await other.page.getByLabel('1 条未读').first().waitFor();
    await expect.poll(() => other.page.title()).toBe('(1) 聊天 · 泡泡IM');
    await other.page.getByRole('link', { name: '汤姆' }).last().click();
    await one.page.getByRole('log').getByText('已读', { exact: true }).waitFor();
    await expect.poll(() => other.page.title()).toBe('聊天 · 泡泡IM');
  });

  test('are announced while they are typed', async () => {
    await expect
      .poll(async () => {
        await other.page.getByLabel('输入消息').pressSequentially('在');
        return one.page.getByText('正在输入…').count();
      })
      .toBe(1);
    await other.page.getByLabel('输入消息').fill('');
  });

  test('quote, are revoked, and are deleted, on both pages', async () => {
    await act(other.page, '在吗', '引用');
    await write(other.page, '在的');
    await seesLast(one.page, ['在吗', '在吗\n在的']);
    await act(one.page, '在吗', '为所有人删除');
    for (const { page } of [one, other]) await seesLast(page, ['…\n在的']);

    await write(one.page, '发错了');
    await seesLast(other.page, ['发错了']);
    await act(one.page, '发错了', '撤回');
    await other.page.getByText('此消息已撤回').first().waitFor();
    await one.page.getByText('此消息已撤回').first().waitFor();
  });

  test('carry pictures, files and recorded voice', async () => {
    const picture = await sharp({ create: { width: 90, height: 60, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    const name = `a|b ${hostile}.txt`;
    await one.page
      .getByLabel('图片')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: picture });
    const shown = other.page.getByRole('img', { name: '图片' });
    await expect.poll(() => numberOf(shown, 'naturalWidth')).toBe(90);

    await one.page
      .getByLabel('文件')
      .setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from('内容') });
    const [download] = await Promise.all([
      other.page.waitForEvent('download'),
      other.page.locator('.file').click(),
    ]);
    expect(await readFile(await download.path(), 'utf8')).toBe('内容');
    expect(await other.page.locator('.file').textContent()).toContain('a|b');

    await one.page.getByRole('button', { name: '录音' }).click();
    // A slow machine may show no button with this very second.
    await one.page.getByRole('button', { name: /^结束并发送 (?!0:00)/ }).click();
    const voice = other.page.locator('audio');
    await expect.poll(() => numberOf(voice, 'readyState')).toBeGreaterThanOrEqual(1);
  });

  test('are text, never HTML, and link only to addresses that run no script', async () => {
    const content = `${hostile} [点我](javascript:alert(1)) ![](javascript:alert(2)) voice(data:text/html,x) ![](/api/login/captcha)`;
    await write(one.page, content);
    await seesLast(other.page, [content.replace('![](/api/login/captcha)', '/api/login/captcha')]);
    await write(one.page, '[主页](https://example.com/?a=1&b=2)');
    const link = other.page.getByRole('link', { name: '主页', exact: true });
    expect(await link.getAttribute('href')).toBe('https://example.com/?a=1&b=2');
    for (const { page } of [one, other])
      expect(
        await page.locator('[href^="javascript:"], [src^="javascript:"], [onerror], img[src="x"]').count(),
      ).toBe(0);
    await one.page.getByRole('heading', { name: hostile }).waitFor();
  });

  test('stay as drafts until they are sent, also over a reload', async () => {
    await one.page.getByLabel('输入消息').fill('写了一半');
    await goTo(one.page, '/me');
    await one.page.getByRole('link', { name: '[草稿]' }).waitFor();
    await one.page.reload();
    await one.page.getByRole('link', { name: '[草稿]' }).click();
    await expect.poll(() => one.page.getByLabel('输入消息').inputValue()).toBe('写了一半');
  });

  test('are pinned and unpinned with their chat', async () => {
    await one.page.getByRole('main').getByRole('button', { name: '更多操作' }).first().click();
    await one.page.getByRole('button', { name: '置顶', exact: true }).click();
    await one.page.getByLabel('已置顶').waitFor();
  });

  test('go to contacts, who are listed by initial, found by name, and shown as online', async () => {
    const { page } = one;
    await page.getByRole('button', { name: '通讯录' }).click();
    await page.getByRole('region', { name: '#' }).getByText('在线').waitFor();
    await page.getByLabel('搜索').fill('谁也不是');
    await page.getByText('没有匹配的结果').waitFor();
    await page.getByLabel('搜索').fill('IMG SRC');
    await page.getByRole('region', { name: '#' }).getByText(hostile).waitFor();
    await page.getByLabel('搜索').fill('');
  });

  test('bring a notification while the page is hidden', async () => {
    // A browser without a screen is never hidden and shows no notification.
    await other.page.addInitScript(`
      Object.defineProperty(document, 'hidden', { get: () => true });
      window.shown = [];
      window.Notification = class {
        static permission = 'granted';
        constructor(title, { body }) { window.shown.push([title, body]); }
      };
    `);
    await other.page.reload();
    await other.page.getByRole('button', { name: '通讯录' }).waitFor();
    await write(one.page, '人呢');
    await expect.poll(() => other.page.evaluate('shown')).toEqual([['汤姆', '人呢']]);
    await expect.poll(() => other.page.title()).toBe('(1) 聊天 · 泡泡IM');
  });

  test('come with texts in the language of the browser, and in the other one on request', async () => {
    const english = await openChatPage(browser, running.url, { locale: 'en-GB' });
    await english.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await english.page.getByRole('button', { name: '中文' }).click();
    await english.page.getByRole('heading', { name: '登录' }).waitFor();
    expect(await english.page.locator('html').getAttribute('lang')).toBe('zh-CN');
    expect(english.complaints).toEqual([]);
  });

  test('are behind a captcha if the settings ask for one at signing in; a wrong answer brings another', async () => {
    await running.call('/api/setting/update', 'server', { login_captcha: 'on' });
    const { page } = await openChatPage(browser, running.url);
    const picture = page.getByRole('img', { name: '图形验证码' });
    const before = await picture.getAttribute('src');
    await page.getByLabel('用户名').fill('tom');
    await page.getByLabel('密码', { exact: true }).fill('secret-1');
    await page.getByLabel('图形验证码').last().fill('?');
    await page.getByRole('button', { name: '登录', exact: true }).click();
    await page.getByRole('alert').waitFor();
    await expect.poll(() => picture.getAttribute('src')).not.toBe(before);
  });

  test('need nothing of other hosts, nothing that the policy of the page forbids, and raise no error', () => {
    expect([...one.complaints, ...other.complaints]).toEqual([]);
  });
});
