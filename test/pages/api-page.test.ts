import type { Browser, Locator, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { afterAllTests } from '../support/at-end.ts';
import { expectAccessible } from './axe.ts';
import { hasBrowser, numberOf, openPage, startBrowser } from './browser.ts';

const phone = { width: 375, height: 740 };
const desktop = { width: 1280, height: 800 };

/** A call in the list, by its path. */
const callAt = (page: Page, path: string): Locator =>
  page.locator('.opblock').filter({ has: page.locator(`[data-path="${path}"]`) });

const openGroup = (page: Page, name: string) => page.locator(`[data-tag="${name}"]`).click();

/** Opens a call to try it. */
async function tryOut(page: Page, path: string): Promise<Locator> {
  const call = callAt(page, path);
  await call.locator('.opblock-summary-control').click();
  await call.getByRole('button', { name: 'Try it out' }).click();
  return call;
}

async function execute(call: Locator): Promise<string | null> {
  await call.getByRole('button', { name: 'Execute' }).click();
  return call.locator('.live-responses-table').textContent();
}

describe.skipIf(!hasBrowser)('the page at /docs (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: RunningApplication;
  let browser: Browser;

  beforeAll(async () => {
    running = await startApplication();
    atEnd(() => running.stop());
    browser = await startBrowser(atEnd);
  }, 60_000);

  test('shows the calls and tries one, with nothing from any other host', async () => {
    const { page, complaints } = await openPage(browser, `${running.url}/docs`);
    await openGroup(page, '聚合接口');
    expect(await execute(await tryOut(page, '/pop/getsetting'))).toContain('泡泡IM');
    expect(await page.locator('.opblock-tag').count()).toBe(18);
    expect(await page.title()).toBe('bubble-im API');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('axe finds nothing serious on it, phone or desktop, light or dark', { timeout: 120_000 }, async () => {
    const { page, complaints } = await openPage(browser, `${running.url}/docs`, { viewport: phone });
    // A colour on its way to another is too faint for a moment.
    await page.addStyleTag({ content: '* { transition: none !important }' });
    await openGroup(page, '消息接口');
    await callAt(page, '/message/get').waitFor();
    await expectAccessible(page, 'the list');
    await tryOut(page, '/message/get');
    await execute(await tryOut(page, '/message/send'));
    await openGroup(page, '上传');
    await tryOut(page, '/upload/img');
    await openGroup(page, 'Pusher');
    const channels = await tryOut(page, '/apps/{id}/channels');
    await channels.getByText('Schema', { exact: true }).first().click();
    for (const viewport of [phone, desktop]) {
      await page.setViewportSize(viewport);
      expect(await numberOf(page.locator('html'), 'scrollWidth')).toBe(viewport.width);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(colorScheme === 'dark' ? 'html.dark-mode' : 'html:not(.dark-mode)').waitFor();
        await expectAccessible(page, `${viewport.width} px, ${colorScheme}`);
      }
    }
    await page.locator('.auth-wrapper .authorize').click();
    await page.locator('.dialog-ux').waitFor();
    await expectAccessible(page, 'the dialog');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('keeps the authorization over a reload', async () => {
    const { page, complaints } = await openPage(browser, `${running.url}/docs`);
    await page.locator('.auth-wrapper .authorize').first().click();
    for (const [scheme, value] of [
      ['appKey', serverKey['x-app-key']],
      ['appSecret', serverKey['x-app-secret']],
    ] as const) {
      const form = page.locator('.auth-container form').filter({ hasText: `${scheme}` });
      await form.locator('input').fill(value);
      await form.getByRole('button', { name: 'Authorize' }).click();
    }
    await page.getByRole('button', { name: '关闭' }).click();
    await page.reload();
    await openGroup(page, '系统配置');
    expect(await execute(await tryOut(page, '/setting/get'))).toContain('"revoke_seconds"');
    expect(complaints).toEqual([]);
    await page.close();
  });
});
