import type { Browser, Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { afterAllTests } from '../support/at-end.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';
import { expectAccessible } from './axe.ts';
import {
  befriend,
  goTo,
  hasBrowser,
  openAs,
  openPage,
  password,
  register,
  seesLast,
  startBrowser,
} from './browser.ts';

const Created = z.object({ gid: z.string() });

/** Waits until an element has the focus. */
const hasFocus = (element: Locator) =>
  expect.poll(
    async () => (await element.count()) === 1 && element.evaluate((shown) => shown.matches(':focus')),
  );

const phone = { viewport: { width: 375, height: 740 }, colorScheme: 'dark' } as const;
const desktop = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } as const;

describe.skipIf(!hasBrowser)('the pages, for who cannot see or point (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let jerry: number;
  let gid: string;

  beforeAll(async () => {
    running = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    browser = await startBrowser(atEnd);
    const tom = await register(running, 'tom', '汤姆');
    jerry = await register(running, 'jerry', '杰瑞');
    await befriend(running, tom, jerry);
    const { data } = await running.call('/api/group/create', 'server', {
      login_uid: tom,
      'members[]': jerry,
    });
    gid = Created.parse(data).gid;
    const said = { login_uid: jerry, to: tom, type: 'friend' };
    for (const content of ['吃了吗', '[主页](https://example.com)', `@[汤姆](${tom})`])
      await running.call('/api/message/send', 'server', { ...said, content });
    await running.call('/api/announcement/send', 'server', { content: '今晚维护' });
  }, 60_000);

  test.each([
    ['on a phone in the dark', phone],
    ['on a desktop in the light', desktop],
  ])('axe finds nothing serious on the chat page %s', async (_, options) => {
    const { page, complaints } = await openPage(browser, `${running.url}/chat/`, options);
    await page.getByLabel('用户名').waitFor();
    await expectAccessible(page, 'signing in');
    await page.getByRole('button', { name: '没有账号' }).click();
    await page.getByLabel('手机号码').waitFor();
    await expectAccessible(page, 'registering');
    await page.getByRole('button', { name: '已有账号' }).click();
    await page.getByRole('button', { name: '忘记密码' }).click();
    await page.getByRole('heading', { name: '重设密码' }).waitFor();
    await expectAccessible(page, 'setting a new password');
    await page.close();

    const { page: own, complaints: ownComplaints } = await openAs(browser, running.url, 'tom', options);
    await expectAccessible(own, 'chats');
    await own.getByRole('button', { name: '通讯录' }).click();
    await expectAccessible(own, 'contacts');
    const views = [
      [`/friend/${jerry}`, '吃了吗'],
      [`/group/${gid}`, '创建了群聊'],
      [`/friend/${jerry}/about`, '删除好友'],
      [`/group/${gid}/about`, '更多操作: 杰瑞'],
      ['/me', '退出登录'],
      ['/add', '加入群聊'],
      ['/new-group', '创建'],
      ['/join/9/token', '加入群聊'],
      ['/applications', '没有申请'],
      ['/announcements', '今晚维护'],
    ] as const;
    for (const [hash, sign] of views) {
      await goTo(own, hash);
      const main = own.getByRole('main');
      await main
        .getByText(sign)
        .or(main.getByRole('button', { name: sign }))
        .first()
        .waitFor();
      // What is folded up is looked at, too.
      for (const fold of await main.locator('summary').all()) await fold.click();
      await expectAccessible(own, hash);
    }
    await goTo(own, `/friend/${jerry}`);
    await own.getByRole('button', { name: '表情' }).click();
    await own.getByRole('article').last().getByRole('button', { name: '更多操作' }).click();
    await own.getByRole('button', { name: '引用' }).waitFor();
    await expectAccessible(own, 'a menu and the emoji');

    await goTo(own, `/group/${gid}`);
    await own.getByLabel('输入消息').pressSequentially('@');
    await own.getByRole('button', { name: '@杰瑞' }).waitFor();
    await running.call('/api/announcement/send', 'server', { content: '维护结束' });
    await own.getByRole('complementary', { name: '新公告' }).waitFor();
    await expectAccessible(own, 'a mention, and an announcement that came');
    await own.context().setOffline(true);
    await own.getByLabel('输入消息').fill('发不出去');
    await own.getByRole('button', { name: '发送', exact: true }).click();
    await own.getByRole('alert').filter({ hasText: '发送失败' }).waitFor();
    await expectAccessible(own, 'a message that was not sent');
    await own.close();
    expect([...complaints, ...ownComplaints]).toEqual([]);
  });

  test('axe finds nothing serious on the page that leads to the others', async () => {
    const { page } = await openPage(browser, `${running.url}/`, phone);
    await expectAccessible(page, '/');
    await page.close();
  });

  test.each([
    ['on a phone in the dark', phone],
    ['on a desktop in the light', desktop],
  ])('axe finds nothing serious in the console %s', async (_, options) => {
    const { page } = await openPage(browser, `${running.url}/console/`, options);
    await page.getByLabel('APP_KEY').fill(running.key);
    await expectAccessible(page, 'signing in');
    await page.getByLabel('APP_SECRET').fill(running.secret);
    await page.getByRole('button', { name: '打开' }).click();
    await page.locator('nav a').first().waitFor({ state: 'attached' });
    const views = await page
      .locator('nav a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    expect(views.length).toBeGreaterThan(10);
    for (const hash of views) {
      await goTo(page, hash ?? '');
      await page.locator(`nav a[href="${hash}"][aria-current=page]`).waitFor({ state: 'attached' });
      await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
      await expectAccessible(page, `${hash}`);
    }
    /** A view, what is pressed in it, and what is there then. */
    const opened = [
      ['/events?type=GroupCreated', 'table .plain', '.chain .current'],
      ['/stream?stream=user-1', undefined, '[data-test=state]'],
      ['/explain?question=account 1', undefined, '.steps'],
      [`/moment?query=user 1&at=${Math.floor(Date.now() / 1000)}`, undefined, 'main pre'],
      ['/people?username=tom', 'table .plain', 'tr.open h2'],
      ['/groups', 'table .plain', 'tr.open tbody td'],
      ['/messages', 'table .plain', 'tr.open button.error'],
      ['/proof', 'main button.primary', 'main [role=status]'],
    ] as const;
    for (const [hash, pressed, sign] of opened) {
      await goTo(page, hash);
      if (pressed !== undefined) await page.locator(pressed).first().click();
      await page.locator(sign).first().waitFor();
      await expectAccessible(page, `${hash}, opened`);
    }
    await page.close();
  });

  test.each([
    ['a desktop', desktop],
    ['a narrow window', { ...desktop, viewport: phone.viewport }],
  ])(
    'a person in %s signs in, chooses a chat, answers, quotes and goes back by keys alone',
    async (_, options) => {
      const { page, complaints } = await openPage(browser, `${running.url}/chat/`, options);
      const { keyboard } = page;
      await page.getByLabel('用户名').waitFor();
      await tabTo(page, page.getByLabel('用户名'));
      await keyboard.type('tom');
      await keyboard.press('Tab');
      await keyboard.type(password);
      await keyboard.press('Enter');
      const chat = page.locator(`.list-item[href="#/friend/${jerry}"]`);
      await chat.waitFor();
      await tabTo(page, chat);
      await keyboard.press('Enter');
      const field = page.getByLabel('输入消息');
      await hasFocus(field).toBe(true);

      const emoji = page.getByRole('button', { name: '表情' });
      await tabTo(page, emoji, 'Shift+Tab');
      await keyboard.press('Enter');
      await hasFocus(page.getByRole('group', { name: '表情' }).getByRole('button').first()).toBe(true);
      await keyboard.press('Escape');
      await hasFocus(field).toBe(true);
      await keyboard.type('吃了');
      await keyboard.press('Enter');
      await seesLast(page, ['@汤姆', '吃了']);

      const menu = page.getByRole('article').last().getByRole('button', { name: '更多操作' });
      await menu.waitFor();
      await tabTo(page, menu, 'Shift+Tab');
      await keyboard.press('Enter');
      const quote = page.getByRole('button', { name: '引用', exact: true });
      await hasFocus(quote).toBe(true);
      await keyboard.press('Escape');
      await hasFocus(menu).toBe(true);
      await keyboard.press('Enter');
      await hasFocus(quote).toBe(true);
      await keyboard.press('Enter');
      await hasFocus(field).toBe(true);
      await tabTo(page, page.getByRole('button', { name: '取消引用' }), 'Shift+Tab');
      await keyboard.press('Enter');
      await page.getByRole('button', { name: '取消引用' }).waitFor({ state: 'detached' });
      // The message is taken back, so that the next person finds what this one found.
      await tabTo(page, menu);
      await keyboard.press('Enter');
      await tabTo(page, page.getByRole('button', { name: '为所有人删除' }));
      await keyboard.press('Enter');
      await seesLast(page, ['@汤姆']);

      await tabTo(page, page.getByRole('main').getByRole('link', { name: '详细资料' }), 'Shift+Tab');
      await keyboard.press('Enter');
      await page.getByRole('button', { name: '删除好友' }).waitFor();
      await tabTo(page, page.getByRole('link', { name: '返回' }).last());
      await keyboard.press('Enter');
      await hasFocus(field).toBe(true);
      if (options.viewport.width < 700) {
        await tabTo(page, page.getByRole('link', { name: '返回' }), 'Shift+Tab');
        await keyboard.press('Enter');
        await hasFocus(chat).toBe(true);
      }
      expect(complaints).toEqual([]);
    },
  );
});

/** Presses a key until an element has the focus. */
async function tabTo(page: Page, element: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await element.evaluate((shown) => shown.matches(':focus'))) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${element}`);
}
