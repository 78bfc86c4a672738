import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { afterAllTests } from '../../support/at-end.ts';
import { preparedFolder } from '../../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../../support/standalone.ts';
import {
  befriend,
  goTo,
  hasBrowser,
  openAs,
  openConsole,
  register,
  seesLast,
  startBrowser,
} from '../browser.ts';

const long = 'W'.repeat(64);
const phone = { viewport: { width: 375, height: 740 } };

/** A letter with so many marks that they reach far above and below its line. */
const zalgo = `Z${'\u0335\u0353\u030f'.repeat(60)}algo`;
const override = '\u202e';

const messages = [
  'W'.repeat(8_000),
  `${'\n'.repeat(200)}end`,
  zalgo,
  'שלום לכולם (hello)',
  `${override}abc`,
  '👩‍👩‍👧‍👦🏳️‍🌈🇨🇳'.repeat(100),
  `file[invoice${override}gpj.exe\t1 KB](https://example.com/a)`,
  `![](https://example.com/${'a'.repeat(1_000)})`,
  `@[${long}${long}](1)`,
  `[${'label'.repeat(200)}](https://example.com)`,
  '   ',
];

describe.skipIf(!hasBrowser)('the pages with hostile names and texts (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let running: Standalone;
  let browser: Browser;
  let tom: number;
  let jerry: number;
  let gid: string;

  beforeAll(async () => {
    running = await startStandalone(await preparedFolder(atEnd), {}, atEnd);
    browser = await startBrowser(atEnd);
    tom = await register(running, 'tom', long);
    jerry = await register(running, 'j'.repeat(32), `<b>${long.slice(7)}</b>`);
    await befriend(running, tom, jerry);
    const group = { login_uid: tom, 'members[]': jerry, groupname: long };
    const { data } = await running.call('/api/group/create', 'server', group);
    ({ gid } = z.object({ gid: z.string() }).parse(data));
    const person = { login_uid: jerry, sign: 'W'.repeat(255) };
    await running.call('/api/user/update', 'server', person);
    for (const content of messages)
      expect(
        await running.call('/api/message/send', 'server', {
          login_uid: jerry,
          to: tom,
          type: 'friend',
          content,
        }),
      ).toMatchObject({ code: 0 });
    await running.call('/api/message/send', 'server', {
      login_uid: jerry,
      to: gid,
      type: 'group',
      content: zalgo,
    });
    await running.call('/api/announcement/send', 'server', { content: 'W'.repeat(2_000) });
  }, 60_000);

  /** What reaches beyond the window, or beyond the part of the page that it is in. */
  const tooWide = (page: Page): Promise<string[]> =>
    page.locator('body').evaluate((body) => {
      const { document, innerWidth, getComputedStyle } = body.ownerDocument.defaultView;
      const isBeyond = (element: typeof body) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 1 && (right > innerWidth + 1 || left < -1);
      };
      /** Whether the nearest frame around it that clips is within the window. */
      const isClipped = (element: typeof body) => {
        for (let above = element.parentElement; above; above = above.parentElement) {
          const { overflowX, contentVisibility } = getComputedStyle(above);
          if (overflowX !== 'visible' || contentVisibility === 'auto') return !isBeyond(above);
        }
        return false;
      };
      const frames = [
        document.documentElement,
        ...body.querySelectorAll('main, .messages, .panel-body, .list'),
      ];
      return [
        ...frames.filter((frame) => frame.scrollWidth > frame.clientWidth + 1),
        ...[...body.querySelectorAll('*')].filter((element) => isBeyond(element) && !isClipped(element)),
      ].map((element) => element.outerHTML.slice(0, 200));
    });

  test('fit a phone in every view', async () => {
    const { page, complaints } = await openAs(browser, running.url, 'tom', phone);
    const views: readonly (readonly [string, string])[] = [
      ['/', '.list-item'],
      [`/friend/${jerry}`, '.bubble'],
      [`/friend/${jerry}/about`, '.danger'],
      [`/group/${gid}`, '.bubble'],
      [`/group/${gid}/about`, '.member'],
      ['/me', '.danger'],
      ['/new-group', '.picker label'],
      ['/announcements', 'article'],
    ];
    for (const [hash, sign] of views) {
      await goTo(page, hash);
      await page.locator(sign).first().waitFor();
      expect(await tooWide(page), hash).toEqual([]);
    }
    await goTo(page, '/');
    await page.getByRole('button', { name: '通讯录' }).click();
    expect(await tooWide(page), 'contacts').toEqual([]);
    await goTo(page, '/add');
    await page.getByLabel('用户名或数字ID').fill('j'.repeat(32));
    await page.getByRole('button', { name: '查找' }).click();
    await page.locator('.card').waitFor();
    expect(await tooWide(page), 'a person who was found').toEqual([]);
    await goTo(page, `/group/${gid}`);
    await page.getByLabel('输入消息').pressSequentially('@<');
    await page.locator('.offered button').first().waitFor();
    expect(await tooWide(page), 'mentioning').toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('keep their direction and their marks to themselves', async () => {
    const { page } = await openAs(browser, running.url, 'tom');
    await goTo(page, `/friend/${jerry}`);
    const bubble = (text: string) => page.locator('.bubble').filter({ hasText: text });
    await bubble('שלום').waitFor();
    expect(await bubble('שלום').evaluate((shown) => shown.matches(':dir(rtl)'))).toBe(true);
    const overflow = bubble('algo').evaluate(
      (shown) => shown.ownerDocument.defaultView.getComputedStyle(shown).overflowY,
    );
    expect(await overflow).toBe('clip');
    expect(await page.locator('.file-name').textContent()).toBe('invoicegpj.exe');
    expect(await page.locator('.file').getAttribute('target')).toBe('_blank');
    await page.context().close();
  });

  test('fit the console, too', async () => {
    const { page, complaints } = await openConsole(browser, running, phone);
    for (const hash of ['/people', '/groups', '/messages', '/announcements', '/events', '/overview']) {
      await goTo(page, hash);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.locator('td').first().waitFor();
      const opening = page.locator('table .plain').first();
      if (hash !== '/announcements' && hash !== '/overview') {
        await opening.click();
        await page.locator('tr.open h2').first().waitFor();
      }
      expect(await tooWide(page), hash).toEqual([]);
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('of 10,000 characters are not sent, and the field says so at once', async () => {
    const { page } = await openAs(browser, running.url, 'tom');
    await goTo(page, `/friend/${jerry}`);
    await page.getByLabel('输入消息').fill('长'.repeat(10_000));
    await page.getByText('消息太长').waitFor();
    expect(await page.getByRole('button', { name: '发送', exact: true }).isDisabled()).toBe(true);
    await page.getByLabel('输入消息').fill('   ');
    expect(await page.getByRole('button', { name: '发送', exact: true }).isDisabled()).toBe(true);
    await page.getByLabel('输入消息').fill('好');
    await page.keyboard.press('Enter');
    await seesLast(page, ['好']);
    await page.context().close();
  });
});
