import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';
import type { Standalone } from '../support/standalone.ts';

const executablePath = '/usr/bin/chromium';

/** Whether this machine has the browser; tests that need it are skipped by name if it has not. */
export const hasBrowser = existsSync(executablePath);

export function startBrowser(): Promise<Browser> {
  const args = [
    '--no-sandbox',
    // Bytes of a tone in place of a microphone, and consent to record it.
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ];
  return chromium.launch({ executablePath, args });
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

/** A page, and what it complained about: errors of scripts and of the policy of the page. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens the chat page in a context of its own, in Chinese unless said otherwise. */
export async function openChatPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ locale: 'zh-CN', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A broken network is what some tests are about.
    if (message.type() === 'error' && !/ERR_|WebSocket/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${url}/chat/`);
  return { page, complaints };
}

/** Signs in, and waits for the lists. */
export async function signIn(page: Page, username: string): Promise<void> {
  await page.getByLabel('用户名').fill(username);
  await page.getByLabel('密码').fill(password);
  await page.getByRole('button', { name: '登录' }).click();
  await page.getByRole('button', { name: '通讯录' }).waitFor();
}

/** Writes a message in the open chat and sends it. */
export async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('输入消息').fill(text);
  await page.getByRole('button', { name: '发送', exact: true }).click();
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
