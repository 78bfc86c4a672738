import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Demonstration } from './demonstration.ts';

/** Opens a page in a context of its own. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  await page.goto(url);
  return page;
}

/** Opens the chat page as a person of the demonstration. */
export async function openChat(
  browser: Browser,
  { url, password }: Demonstration,
  username: string,
  options: BrowserContextOptions,
): Promise<Page> {
  const page = await openPage(browser, `${url}/chat/`, options);
  await page.locator('input[name=username]').fill(username);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form button.primary').click();
  await page.locator('.sidebar').waitFor({ state: 'attached' });
  return page;
}

/** Opens the console with the server's key. */
export async function openConsole(
  browser: Browser,
  { url, key, secret }: Demonstration,
  options: BrowserContextOptions,
): Promise<Page> {
  const page = await openPage(browser, `${url}/console/`, options);
  await page.locator('input[name=key]').fill(key);
  await page.locator('input[name=secret]').fill(secret);
  await page.locator('form button.primary').click();
  await page.locator('main h1').waitFor();
  return page;
}

/** Goes to a view by the part of its address after `#`, and waits until what it asks for has come. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await settled(page);
}

/** Waits until what the page asks for has come: calls answer within milliseconds, and what it polls comes later. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined);
  await page.waitForTimeout(400);
}
