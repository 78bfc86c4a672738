import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import type { Demonstration } from './demonstration.ts';
import { openChat, openConsole, settled } from './pages.ts';

/** A reader on a slow line waits for three of them. */
const maxBytes = 60_000;
const folder = join(import.meta.dirname, '../../docs/images');

/** Seconds of traffic that the charts of the console show. */
const trafficSeconds = 40;

/** Takes the pictures of README.md and README.zh.md. @throws Error if one of them is too large */
export async function takeReadmePictures(browser: Browser, demonstration: Demonstration): Promise<void> {
  const desktop = { viewport: { width: 1200, height: 768 }, locale: 'zh-CN' };
  const console = await openConsole(browser, demonstration, { ...desktop, colorScheme: 'light' });
  await traffic(demonstration);
  await settled(console);
  await write(console, 'console.webp');

  const chat = await openChat(browser, demonstration, 'tom', { ...desktop, colorScheme: 'light' });
  await chat.locator('.list-item', { hasText: '周末爬山' }).click();
  await settled(chat);
  await write(chat, 'chat-desktop.webp');

  const phone = await openChat(browser, demonstration, 'jerry', {
    ...{ viewport: { width: 375, height: 640 }, deviceScaleFactor: 1.28 },
    ...{ locale: 'en-US', colorScheme: 'dark', hasTouch: true, isMobile: true },
  });
  await phone.locator('.list-item', { hasText: '泡泡项目组' }).click();
  await settled(phone);
  await write(phone, 'chat-phone.webp');
}

/** Some talk, with rests, so that the charts show more than a line. */
async function traffic({ talk }: Demonstration): Promise<void> {
  const end = performance.now() + trafficSeconds * 1_000;
  for (let count = 0; performance.now() < end; count++) {
    const size = Math.round(8 + 7 * Math.sin(count / 3));
    for (let index = 0; index < size; index++)
      await talk.say('chen', { type: 'friend', with: 'zhao' }, '好的');
    await delay(900);
  }
}

async function write(page: Page, name: string): Promise<void> {
  const picture = await sharp(await page.screenshot())
    .webp({ quality: 80 })
    .toBuffer();
  if (picture.length > maxBytes)
    throw new Error(`${name} has ${picture.length} bytes, more than ${maxBytes}`);
  await writeFile(join(folder, name), picture);
  await page.context().close();
}
