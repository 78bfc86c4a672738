import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';
import type { AtEnd } from '../support/at-end.ts';
import type { Standalone } from '../support/standalone.ts';

const executablePath = '/usr/bin/chromium';

/** Whether this machine has the browser; tests that need it are skipped by name if it does not. */
export const hasBrowser = existsSync(executablePath);

/** Starts a browser that is closed at the end. */
export async function startBrowser(atEnd: AtEnd): Promise<Browser> {
  const args = [
    '--no-sandbox',
    // Bytes of a tone in place of a microphone, and consent to record it.
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ];
  const browser = await chromium.launch({ executablePath, args });
  atEnd(() => browser.close());
  return browser;
}

export const password = 'secret-1';
const Added = z.object({ uid: z.int() });

/** Registers a person by the server's key. */
export async function register(running: Standalone, username: string, nickname: string): Promise<number> {
  const answer = await running.call('/api/user/add', 'server', { username, nickname, password });
  return Added.parse(answer.data).uid;
}

export async function befriend(running: Standalone, one: number, other: number): Promise<void> {
  await running.call('/api/friend/add', 'server', { login_uid: one, friend_uid: other });
}

/** A page, and what must not happen in it: errors of scripts, violations of its policy, requests to other hosts. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens a page in a context of its own, in Chinese unless said otherwise. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ locale: 'zh-CN', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = watch(page, new URL(url).host);
  await page.goto(url);
  return { page, complaints };
}

export const openChatPage = (browser: Browser, url: string, options?: BrowserContextOptions) =>
  openPage(browser, `${url}/chat/`, options);

/** Collects what must not happen in a page of this host. The browser reports violations of the policy as errors. */
function watch(page: Page, host: string): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A broken network is what some tests are about.
    if (message.type() !== 'error' || /ERR_|WebSocket/.test(message.text())) return;
    const { url } = message.location();
    // A log of which no head was signed yet has none to show.
    if (url.endsWith('/audit/log/checkpoint')) return;
    complaints.push(`${message.text()} at ${url}`);
  });
  const check = (url: string) => {
    const { protocol, host: asked } = new URL(url);
    if (protocol !== 'data:' && protocol !== 'blob:' && asked !== host) complaints.push(`asked ${url}`);
  };
  page.on('request', (request) => check(request.url()));
  page.on('websocket', (socket) => check(socket.url()));
  page.on('dialog', async (dialog) => {
    if (dialog.type() === 'confirm') return dialog.accept();
    complaints.push(`${dialog.type()}: ${dialog.message()}`);
    return dialog.dismiss();
  });
  return complaints;
}

/** Signs in, and waits for the lists. */
export async function signIn(page: Page, username: string): Promise<void> {
  await page.getByLabel('用户名').fill(username);
  await page.getByLabel('密码', { exact: true }).fill(password);
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await page.getByRole('button', { name: '通讯录' }).waitFor();
}

/** Opens the chat page as a person. */
export async function openAs(
  browser: Browser,
  url: string,
  username: string,
  options?: BrowserContextOptions,
): Promise<OpenPage> {
  const opened = await openChatPage(browser, url, options);
  await signIn(opened.page, username);
  return opened;
}

/** Opens the console, and signs in with the server's key. */
export async function openConsole(
  browser: Browser,
  { url, key, secret }: Standalone,
  options?: BrowserContextOptions,
): Promise<OpenPage> {
  const opened = await openPage(browser, `${url}/console/`, options);
  await signInToConsole(opened.page, key, secret);
  // On a phone it is folded up.
  await opened.page.locator('nav').waitFor({ state: 'attached' });
  return opened;
}

export async function signInToConsole(page: Page, key: string, secret: string): Promise<void> {
  await page.getByLabel('APP_KEY').fill(key);
  await page.getByLabel('APP_SECRET').fill(secret);
  await page.getByRole('button', { name: /^(打开|Open)$/ }).click();
}

/** Goes to a view by its address. @param hash `/friend/9` */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** A number that an element has: `naturalWidth` of a picture that was loaded. */
export async function numberOf(element: Locator, property: string): Promise<number> {
  return Number(await element.evaluate((shown, name) => Reflect.get(shown, name), property));
}

/** Writes a message in the open chat and sends it. */
export async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('输入消息').fill(text);
  await page.getByRole('button', { name: '发送', exact: true }).click();
}

/** Carries out an action of the menu of the first message with this text. */
export async function act(page: Page, text: string, action: string): Promise<void> {
  await page
    .getByRole('article')
    .filter({ hasText: text })
    .first()
    .getByRole('button', { name: '更多操作' })
    .click();
  await page.getByRole('button', { name: action, exact: true }).click();
}

/** The texts of the messages that the page shows, in their order. */
export function shownTexts(page: Page): Promise<string[]> {
  return page.locator('.bubble').allInnerTexts();
}

/** Waits until the page shows these texts last, in this order. */
export async function seesLast(page: Page, texts: readonly string[]): Promise<void> {
  await expect
    .poll(async () => (await shownTexts(page)).slice(-texts.length), { timeout: 20_000 })
    .toEqual(texts);
}
