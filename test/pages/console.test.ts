import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { app } from '../gateway/harness.ts';
import { afterAllTests } from '../support/at-end.ts';
import { befriended, createGroup, type Group, type Person, send } from '../support/conversation.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { startProxy } from '../support/proxy.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';
import { hasBrowser, openConsole, signInToConsole, startBrowser } from './browser.ts';

describe.skipIf(!hasBrowser)('the console, in a browser (chromium)', { timeout: 60_000 }, () => {
  const atEnd = afterAllTests();
  let dataFolder: string;
  let api: Standalone;
  let browser: Browser;
  let page: Page;
  let tom: Person;
  let jerry: Person;
  let group: Group;
  let faults: readonly string[] = [];

  beforeAll(async () => {
    const keys = { APP_KEY: app.key, APP_SECRET: app.secret };
    dataFolder = await preparedFolder(atEnd);
    api = await startStandalone(dataFolder, keys, atEnd);
    [tom, jerry] = await befriended(api);
    group = await createGroup(api, tom, jerry);
    await api.call('/api/group/forbiddenuser', 'server', {
      ...{ login_uid: tom.uid, gid: group.gid, uid: jerry.uid, time: 600 },
    });
    await send(api, tom, jerry, '<img src=x onerror=alert(1)>');
    await api.call('/api/service/send_sms', 'nobody', { phone: '13800000001', type: 'register' });
    browser = await startBrowser(atEnd);
    const opened = await openConsole(browser, api, { locale: 'en-US' });
    page = opened.page;
    faults = opened.complaints;
    await page.getByRole('heading', { name: 'All is well' }).waitFor();
  }, 90_000);

  async function open(view: string): Promise<void> {
    await page.getByRole('navigation').getByRole('link', { name: view, exact: true }).click();
    await page.getByRole('heading', { name: view, level: 1 }).waitFor();
  }

  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

  test('draws what the system does, beside the state of each part', async () => {
    await page.getByRole('cell', { name: 'projections' }).waitFor();
    expect(await page.getByRole('cell', { name: 'not ready' }).count()).toBe(0);
    const memory = page.getByRole('figure').filter({ hasText: 'Memory' });
    await expect.poll(() => memory.textContent()).toMatch(/\d MB/);
    expect(await memory.locator('canvas').count()).toBe(1);
  });

  test('warns of a part without which most works, and says what to do', async () => {
    const uploads = join(dataFolder, 'files', 'upload');
    await rename(uploads, `${uploads}-away`);
    await writeFile(uploads, '');
    await page.getByRole('heading', { name: 'It works, but a part is not ready' }).waitFor();
    const warning = page.getByRole('alert');
    await warning.getByText('files', { exact: true }).waitFor();
    expect(await warning.textContent()).toMatch(/Chatting goes on.*Look at the rights and the disk/s);
    expect(await page.getByRole('row', { name: /^files Not ready/ }).count()).toBe(1);
    await rm(uploads);
    await rename(`${uploads}-away`, uploads);
    await page.getByRole('heading', { name: 'All is well' }).waitFor();
    expect(await warning.count()).toBe(0);
  });

  test('looks as the person chose, its charts too', async () => {
    const chart = page.getByRole('figure').filter({ hasText: 'Memory' }).locator('canvas');
    /** Whether the chart has its line in the colour of links. */
    const isDrawnInAccent = () =>
      chart.evaluate((canvas) => {
        const { document, getComputedStyle } = canvas.ownerDocument.defaultView;
        const { color } = getComputedStyle(document.querySelector('[aria-current=page]'));
        const accent: number[] = color.match(/\d+/g).map(Number);
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        for (let at = 0; at < data.length; at += 4) {
          const isNear = accent.every((part, index) => Math.abs(data[at + index] - part) < 6);
          if (isNear && data[at + 3] > 128) return true;
        }
        return false;
      });
    for (const colours of ['dark', 'light', 'as the system']) {
      await page.getByLabel('Colours').selectOption(colours);
      await expect.poll(isDrawnInAccent).toBe(true);
    }
    expect(await page.locator('html').getAttribute('data-look')).toBe('system');
  });

  test('shows how far the read models are, and that nothing is under way', async () => {
    await open('Maintenance');
    await page.getByRole('cell', { name: 'Read models' }).waitFor();
    await page.getByText('No rebuild is under way.').waitFor();
    await page.getByText('No backup is under way.').waitFor();
  });

  test('verifies the log that its head signs', async () => {
    await open('Proof');
    await page.getByText(/^The head of bubble-im\/bubble-im signs \d+ events$/).waitFor();
    await press('Verify the log');
    await expect
      .poll(() => page.getByRole('status').textContent())
      .toMatch(/The log is as it was\s*The log is as it was: \d+ events/);
  });

  test('finds the events about a person, and shows one with its causes and effects', async () => {
    await open('Events');
    await page.getByLabel('About person (uid)').fill(String(jerry.uid));
    await page.getByLabel('Types (with commas)').fill('MemberMuted');
    await press('Show');
    await page.getByRole('cell', { name: `group-${group.gid}@1` }).waitFor();
    await page.getByRole('button', { name: /^muted person/ }).click();
    await page.locator('.chain [aria-current]').waitFor();
    expect(await page.locator('.chain [aria-current]').textContent()).toMatch(/^\s*muted person/);
    await page.getByRole('link', { name: 'Only this request' }).click();
    await expect.poll(() => page.getByLabel('Request (its id)').inputValue()).not.toBe('');
  });

  test('says why no event was found', async () => {
    await open('Events');
    await page.getByLabel('About person (uid)').fill('999999999');
    await press('Show');
    await page.getByText('Nothing was found: no event is about person 999999999', { exact: true }).waitFor();
    await page.getByLabel('About person (uid)').fill(String(jerry.uid));
    await press('Show');
    await page.getByRole('cell', { name: `group-${group.gid}@1` }).waitFor();
    expect(await page.getByText('Nothing was found').count()).toBe(0);
  });

  test('moves a stream to any of its revisions by a slider, and names what changed', async () => {
    await open('Stream');
    await page.getByLabel('Stream', { exact: true }).fill(`group-${group.gid}`);
    await press('Open');
    await page.getByText('Revision 1 of 1').waitFor();
    await page.locator('.changes code', { hasText: `mutes.${jerry.uid}` }).waitFor();
    await page.getByLabel('Revision').focus();
    await page.keyboard.press('ArrowLeft');
    await page.getByText('Revision 0 of 1').waitFor();
    await expect.poll(() => page.locator('[data-test=state]').textContent()).toContain('"mutes": {}');
    expect(page.url()).toContain(`stream=group-${group.gid}&revision=0`);
  });

  test('explains why somebody may not speak, by a question with labelled ids', async () => {
    await open('Explain');
    await page.getByLabel('Question').selectOption({ label: 'May a person speak in a group?' });
    await page.getByLabel('uid', { exact: true }).fill(String(jerry.uid));
    await page.getByLabel('Group (gid)').fill(group.gid);
    await press('Ask');
    await page
      .locator('.card')
      .getByText(/may not speak in group .* by MemberMuted/)
      .waitFor();
    await page.getByRole('link', { name: `group-${group.gid}@1` }).waitFor();
  });

  test('shows the state of a moment, and what a call would have answered', async () => {
    await open('Moment');
    await page.getByLabel('Time').fill(String(Math.floor(Date.now() / 1000) + 1));
    await page.getByLabel('Group (gid)').fill(group.gid);
    await press('Ask');
    await expect.poll(() => page.locator('main pre').textContent()).toContain('"role": "owner"');
    await page.getByLabel('Query').selectOption('call');
    await page.getByLabel('Call', { exact: true }).fill('message/unreadcount');
    await page.getByLabel('Parameters').fill(`login_uid=${jerry.uid}&id=${tom.uid}&type=friend`);
    await press('Ask');
    await expect.poll(() => page.locator('main pre').textContent()).toMatch(/"data": 1\b/);
  });

  test('shows live events as they are stored, as the text that somebody wrote', async () => {
    await open('Events');
    await page.getByLabel('About person (uid)').fill(String(tom.uid));
    await press('Live');
    await page.getByRole('status').filter({ hasText: 'Live: new events' }).waitFor();
    await send(api, jerry, tom, '<b>live</b>');
    await page.getByRole('button', { name: /<b>live<\/b>/ }).waitFor();
    expect(await page.locator('main table b').count()).toBe(0);
    await press('Stop');
    await page.getByRole('status').filter({ hasText: 'Live: new events' }).waitFor({ state: 'detached' });
  });

  test('finds a person, and ends the session that they have', async () => {
    await open('People');
    await page.getByLabel('By').selectOption('nickname');
    await page.getByLabel('Begins with').fill('jer');
    await press('Find');
    await press('jerry');
    await press('End');
    await page.getByText('No sessions').waitFor();
    expect(await api.call('/api/pop/get', jerry)).toMatchObject({ code: -1 });
    expect(await page.getByRole('cell', { name: 'tom', exact: true }).count()).toBe(0);
  });

  test('disables an account, enables it, makes it a member, and gives it a phone and a password', async () => {
    const state = page
      .getByRole('row', { name: /^jerry / })
      .getByRole('cell')
      .nth(4);
    await press('Disable');
    await expect.poll(() => state.textContent()).toContain('· disabled');
    await press('Enable');
    await expect.poll(() => state.textContent()).not.toContain('disabled');
    await press('Make a member (会员)');
    await expect.poll(() => state.textContent()).toContain('· Member (会员)');
    await page.getByRole('textbox', { name: 'Phone' }).fill('13800000009');
    await press('Save: Phone');
    await page.getByRole('cell', { name: '13800000009' }).waitFor();
    await page.getByRole('textbox', { name: 'New password' }).fill('secret-2');
    await press('Save: New password');
    await expect.poll(() => page.getByRole('textbox', { name: 'New password' }).inputValue()).toBe('');
    const { data } = await api.call('/api/user/get', 'server', { uid: jerry.uid });
    const { username } = z.object({ username: z.string() }).parse(data);
    expect(await api.call('/api/login/login', 'nobody', { username, password: 'secret-2' })).toMatchObject({
      code: 0,
    });
  });

  test('adds a person, and deletes them', async () => {
    await open('People');
    await expect.poll(() => page.getByRole('cell', { name: 'tom', exact: true }).count()).toBe(1);
    await page.getByText('Add a person').first().click();
    await page.getByRole('textbox', { name: 'Username' }).fill('spike');
    await page.getByRole('textbox', { name: 'Nickname' }).fill('Spike');
    await page.getByRole('textbox', { name: 'Password', exact: true }).fill('secret-1');
    await press('Add a person');
    await press('Spike');
    await press('Delete');
    await expect.poll(() => page.getByRole('row', { name: /^Spike / }).textContent()).toContain('deleted');
  });

  test('revokes a message of anybody, which says so from then on', async () => {
    await open('Messages');
    await page.getByRole('button', { name: /<img src=x/ }).click();
    await press('Revoke this message');
    await page.getByText("Taken back: revoked by the server's key just now").waitFor();
    const chat = { login_uid: jerry.uid, id: tom.uid, type: 'friend' };
    const { data } = await api.call('/api/message/get', 'server', chat);
    expect(data).toMatchObject([{ content: '此消息已被系统管理员撤回' }, { content: '<b>live</b>' }]);
    // The index of the log may have the revocation a moment later.
    await expect
      .poll(async () => {
        await open('Groups');
        await open('Messages');
        await page.getByRole('button', { name: /<img src=x/ }).click();
        const shown = page.getByRole('status').or(page.getByRole('button', { name: 'Revoke this message' }));
        return shown.textContent();
      })
      .toMatch(/^Taken back: withdrew message \d+/);
    expect(await page.getByRole('button', { name: 'Revoke this message' }).count()).toBe(0);
  });

  test('says why no message was found', async () => {
    await open('Messages');
    await page.locator('select[name=by]').selectOption('mid');
    await page.locator('input[name=value]').fill('999999999');
    await press('Find');
    await page.getByText('Nothing was found: no event is about message 999999999', { exact: true }).waitFor();
  });

  test('shows a group with its members and their mutes', async () => {
    await open('Groups');
    await press('two');
    const row = page.getByRole('row', { name: /^jerry / });
    await expect.poll(() => row.textContent()).toMatch(/member.*20\d\d/s);
  });

  test('lists uploads and the codes of the development inbox', async () => {
    const body = new FormData();
    body.set('file', new Blob(['hello']), 'contract.txt');
    const headers = { authorization: `Bearer ${tom.token}` };
    await fetch(`${api.url}/api/upload/file`, { method: 'POST', headers, body });
    await open('Uploads');
    const link = page.getByRole('link', { name: 'contract.txt' });
    const address = await link.getAttribute('href');
    expect(await (await fetch(`${api.url}${address}`)).text()).toBe('hello');
    await open('SMS');
    await page.getByRole('cell', { name: '13800000001' }).waitFor();
  });

  test('changes a setting, whose meaning and default it shows', async () => {
    await open('Settings');
    await page.getByLabel('Search').fill('revoke');
    const field = page.getByLabel('revoke_seconds');
    await field.fill('300');
    await press('Save');
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor();
    await page.getByText('for how many seconds a sender may revoke a message').waitFor();
    await press('Set to default');
    await expect.poll(() => field.inputValue()).toBe('120');
    await field.fill('0');
    await press('Save');
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('revoke_seconds');
  });

  test('a page may connect to the websocket that the setting names, and to no other', async () => {
    const proxies = [await startProxy({ port: api.port, host: '127.0.0.1' }, atEnd)];
    proxies.push(await startProxy({ port: api.port, host: '127.0.0.1' }, atEnd));
    const [named, other] = proxies.map(({ port }) => `ws://127.0.0.1:${port}`);
    await api.call('/api/setting/update', 'server', { ws_address: named ?? '' });
    const chat = await (await browser.newContext()).newPage();
    await chat.goto(`${api.url}/chat/`);
    const opens = (address: string | undefined) =>
      chat.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new WebSocket(url);
            socket.onopen = () => resolve(true);
            socket.onerror = () => resolve(false);
          }),
        `${address}/app/${app.key}?protocol=7`,
      );
    expect([await opens(named), await opens(other)]).toEqual([true, false]);
    await chat.close();
  });

  test('is in Chinese at a press, also on a phone, where its menu opens by the keyboard', async () => {
    await page.setViewportSize({ width: 375, height: 760 });
    await page.getByRole('button', { name: '中文' }).click();
    await page.getByRole('button', { name: '菜单' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: '概况' }).press('Enter');
    await page.getByRole('heading', { name: '一切正常' }).waitFor();
    expect(await page.getByRole('navigation').isVisible()).toBe(false);
    const main = await page.getByRole('main').boundingBox();
    expect(main?.width).toBeLessThanOrEqual(375);
    await page.getByRole('button', { name: 'English' }).click();
  });

  test('refuses a wrong secret in words, and keeps nothing of a key when it is left', async () => {
    await press('Leave');
    await signInToConsole(page, app.key, 'wrong');
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('X-App-Secret');
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).not.toContain(
      app.secret,
    );
  });

  test('asks nothing of other hosts and runs into no error', () => {
    expect(faults).toEqual([]);
  });
});
