import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterAllTests } from '../../support/at-end.ts';
import { preparedFolder } from '../../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import {
  befriend,
  goTo,
  hasBrowser,
  type OpenPage,
  openAs,
  password,
  register,
  startBrowser,
  write,
} from '../browser.ts';

describe.skipIf(!hasBrowser)('a person’s account on the chat page (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let jerry: number;
  let one: OpenPage;

  beforeAll(async () => {
    running = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    browser = await startBrowser(atEnd);
    const tom = await register(running, 'tom', '汤姆');
    jerry = await register(running, 'jerry', '杰瑞');
    await befriend(running, tom, jerry);
    one = await openAs(browser, running.url, 'tom');
    await goTo(one.page, '/me');
  }, 60_000);

  const login = (phone: string) => running.call('/api/login/login', 'nobody', { phone, password });

  /** Gives the form a phone and the code that the development inbox has for it. */
  async function fillPhone(page: Page, phone: string): Promise<void> {
    await page.getByLabel('手机号码').fill(phone);
    await page.getByRole('button', { name: '获取验证码' }).click();
    await page.getByLabel('APP_SECRET').fill(running.secret);
    await page.getByRole('button', { name: '查看验证码' }).click();
    await expect.poll(() => page.getByLabel('短信验证码').inputValue()).toMatch(/^\d{6}$/);
  }

  test('gets a phone by the code sent to it, and another one for the password too', async () => {
    const { page } = one;
    await page.getByText('绑定或更换手机号').click();
    await fillPhone(page, '13800000001');
    await page.getByRole('button', { name: '绑定', exact: true }).click();
    await page.getByText('已绑定 13800000001').waitFor();
    expect(await login('13800000001')).toMatchObject({ code: 0 });

    await fillPhone(page, '13800000002');
    await page.getByRole('button', { name: '绑定', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: '更换需要当前密码' }).waitFor();
    await page.getByLabel('密码', { exact: true }).fill(password);
    await page.getByRole('button', { name: '绑定', exact: true }).click();
    await page.getByText('已绑定 13800000002').waitFor();
    expect(await login('13800000002')).toMatchObject({ code: 0 });
    expect(await login('13800000001')).toMatchObject({ code: 2 });
  });

  test('says that it loads while the network keeps a history and the details of a person from it', async () => {
    const { page, complaints } = await openAs(browser, running.url, 'tom');
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await page.route(/\/api\/(message|user)\/get\b/, async (route) => {
      await released;
      await route.continue();
    });
    const loading = page.getByRole('main').getByText('正在加载…');
    await goTo(page, `/friend/${jerry}`);
    await loading.waitFor();
    await goTo(page, `/friend/${jerry}/about`);
    await page.getByRole('status').filter({ hasText: '正在加载…' }).waitFor();
    release();
    await page.getByRole('button', { name: '删除好友' }).waitFor();
    await expect.poll(() => loading.count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('looks light or dark as the system does, or as the person chose in this browser', async () => {
    const { page } = one;
    const isDark = () =>
      page.locator('body').evaluate((body) => {
        const { backgroundColor } = body.ownerDocument.defaultView.getComputedStyle(body);
        return /^rgb\(\d\d?,/.test(backgroundColor);
      });
    expect(await isDark()).toBe(false);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await isDark()).toBe(true);
    await page.getByLabel('外观').selectOption('浅色');
    expect(await isDark()).toBe(false);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByLabel('外观').selectOption('深色');
    await page.reload();
    await page.getByLabel('外观').waitFor();
    expect(await isDark()).toBe(true);
    await page.getByLabel('外观').selectOption('跟随系统');
    expect(await isDark()).toBe(false);
  });

  test('has one count of what is unread on all devices: what one shows is read on the others', async () => {
    const phone = await openAs(browser, running.url, 'jerry', { viewport: { width: 375, height: 740 } });
    const desktop = await openAs(browser, running.url, 'jerry');
    await goTo(one.page, `/friend/${jerry}`);
    await write(one.page, '在吗');
    for (const { page } of [phone, desktop]) await expect.poll(() => page.title()).toBe('(1) 聊天 · 泡泡IM');
    await phone.page.getByRole('link', { name: '汤姆' }).last().click();
    for (const { page } of [phone, desktop]) await expect.poll(() => page.title()).toBe('聊天 · 泡泡IM');
    await desktop.page.getByLabel('条未读').waitFor({ state: 'detached' });
    expect([...one.complaints, ...phone.complaints, ...desktop.complaints]).toEqual([]);
  });
});
