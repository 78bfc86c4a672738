import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { app } from '../gateway/harness.ts';
import { befriended, type Person } from '../support/conversation.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

const browser = '/usr/bin/chromium';

describe.skipIf(!existsSync(browser))('the console, in a browser (chromium)', { timeout: 60_000 }, () => {
  const stops: (() => unknown)[] = [];
  const atEnd = (stop: () => unknown) => void stops.push(stop);
  let api: Standalone;
  let chrome: Browser;
  let page: Page;
  let tom: Person;
  let jerry: Person;
  const faults: string[] = [];

  beforeAll(async () => {
    const keys = { APP_KEY: app.key, APP_SECRET: app.secret };
    api = await startStandalone(await temporaryFolder(atEnd), keys, atEnd);
    [tom, jerry] = await befriended(api);
    chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] });
    page = await chrome.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(api.url)) faults.push(`asked ${request.url()}`);
    });
    await page.goto(`${api.url}/console/`);
    await page.getByLabel('APP_KEY').fill(app.key);
    await page.getByLabel('APP_SECRET').fill(app.secret);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { name: 'All is well' }).waitFor();
  }, 90_000);

  afterAll(async () => {
    await chrome.close();
    for (const stop of stops.reverse()) await stop();
  });

  test('shows each part of the system with its state', async () => {
    await page.getByRole('button', { name: 'Health' }).click();
    await page.getByRole('cell', { name: 'projections' }).waitFor();
    expect(await page.getByRole('cell', { name: 'not ready' }).count()).toBe(0);
  });

  test('explains why two people are friends', async () => {
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByLabel('Question').selectOption({ label: 'Are two people friends?' });
    await page.getByLabel('UID').nth(0).fill(String(tom.uid));
    await page.getByLabel('UID').nth(1).fill(String(jerry.uid));
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText(/Befriended at friendship-/).waitFor();
  });

  test('finds the events about a person, and what else the request of one did', async () => {
    await page.getByRole('button', { name: 'Events' }).click();
    await page.getByLabel('About person (uid)').fill(String(tom.uid));
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('cell', { name: `user-${tom.uid}@0` }).waitFor();
    await page.getByRole('button', { name: 'all of it' }).last().click();
    await expect.poll(() => page.getByLabel('Request (its id)').inputValue()).not.toBe('');
  });

  test('shows the settings beside their defaults', async () => {
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('cell', { name: 'upload_img_mb' }).waitFor();
  });

  test('refuses a wrong secret in words, and keeps nothing when it is left', async () => {
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByLabel('APP_KEY').fill(app.key);
    await page.getByLabel('APP_SECRET').fill('wrong');
    await page.getByRole('button', { name: 'Open' }).click();
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('X-App-Secret');
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
  });

  test('asks nothing of other hosts and runs into no error', () => {
    expect(faults).toEqual([]);
  });
});
