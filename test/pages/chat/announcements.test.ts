import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { afterAllTests } from '../../support/at-end.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import { goTo, hasBrowser, type OpenPage, openAs, openConsole, register, startBrowser } from '../browser.ts';

/** Markup that would run if a page took it as HTML. */
const hostile = '今晚维护 <img src=x onerror=alert(1)>';

describe.skipIf(!hasBrowser)('announcements on the chat page (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let reader: OpenPage;
  let operator: OpenPage;

  beforeAll(async () => {
    running = await startStandalone(await temporaryFolder(atEnd), {}, atEnd);
    browser = await startBrowser(atEnd);
    await register(running, 'tom', '汤姆');
    await register(running, 'jerry', '杰瑞');
    [reader, operator] = await Promise.all([
      openAs(browser, running.url, 'tom'),
      openConsole(browser, running),
    ]);
    await operator.page.getByRole('link', { name: '公告' }).click();
    await operator.page.getByText('没有公告').waitFor();
  }, 60_000);

  async function announce(content: string): Promise<void> {
    await operator.page.getByLabel('公告').fill(content);
    await operator.page.getByRole('button', { name: '发布', exact: true }).click();
    await operator.page.getByRole('cell', { name: content, exact: true }).waitFor();
  }

  const banner = () => reader.page.getByRole('complementary', { name: '新公告' });

  test('come live from the console, are said, and count as unread until they are seen', async () => {
    await announce(hostile);
    await banner().getByText(hostile).waitFor();
    await expect.poll(() => reader.page.title()).toBe('(1) 聊天 · 泡泡IM');
    await expect
      .poll(() => reader.page.locator('[aria-live=polite]').textContent())
      .toBe(`新公告: ${hostile}`);

    await banner().getByRole('link', { name: '查看' }).click();
    await reader.page.getByRole('article').filter({ hasText: hostile }).waitFor();
    await banner().waitFor({ state: 'detached' });
    await expect.poll(() => reader.page.title()).toBe('聊天 · 泡泡IM');
  });

  test('wait for who was away, and are seen by each person for themselves', async () => {
    const other = await openAs(browser, running.url, 'jerry');
    const entry = other.page.getByRole('link', { name: '公告' });
    await entry.getByLabel('1 条未读').waitFor();
    await entry.click();
    await other.page.getByRole('article').filter({ hasText: hostile }).waitFor();
    await entry.getByLabel('1 条未读').waitFor({ state: 'detached' });
    await other.page.reload();
    await entry.waitFor();
    expect(await entry.getByLabel('条未读').count()).toBe(0);
    expect(other.complaints).toEqual([]);
  });

  test('are listed at once for who looks at them, and vanish when they are revoked', async () => {
    await announce('维护推迟到明天');
    const articles = reader.page.getByRole('article');
    await expect.poll(() => articles.count()).toBe(2);
    expect(await articles.first().textContent()).toContain('维护推迟到明天');
    expect(await banner().count()).toBe(0);

    await goTo(reader.page, '/me');
    await announce('发错了');
    await banner().getByText('发错了').waitFor();
    await operator.page
      .getByRole('row')
      .filter({ hasText: '发错了' })
      .getByRole('button', { name: '撤回' })
      .click();
    await banner().waitFor({ state: 'detached' });
    await expect.poll(() => reader.page.title()).toBe('聊天 · 泡泡IM');
    await goTo(reader.page, '/announcements');
    await expect.poll(() => articles.count()).toBe(2);
    expect([...reader.complaints, ...operator.complaints]).toEqual([]);
  });
});
