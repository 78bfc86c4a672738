import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { makeFolder } from '../../services/make-folder.ts';
import { alone, type Demonstration } from './demonstration.ts';
import { openChat, openConsole, openPage, settled } from './pages.ts';
import { chatViews, consoleViews, emptyViews, strangerViews, type View } from './views.ts';

const widths = [375, 1280] as const;
const heights = { 375: 740, 1280: 800 } as const;
const locales = ['zh-CN', 'en-US'] as const;
const colorSchemes = ['light', 'dark'] as const;

/** A view in one size, in both languages, light and dark. */
type Shots = Map<string, Buffer[]>;

/**
 * Takes every view of the pages on a phone and on a desktop, in both languages, light and dark: four pictures on a sheet.
 * @returns what is wider than the window, which a person would have to scroll sideways to read
 */
export async function takeEveryView(
  browser: Browser,
  demonstration: Demonstration,
  folder: string,
): Promise<string[]> {
  await makeFolder(folder);
  const tooWide: string[] = [];
  for (const width of widths) {
    const shots: Shots = new Map();
    for (const locale of locales) {
      const options: BrowserContextOptions = { locale, viewport: { width, height: heights[width] } };
      const take = async (page: Page, prefix: string, views: readonly View[]) => {
        for (const view of views) {
          await view.open(page, demonstration);
          const name = `${prefix}-${view.name}`;
          if (await isTooWide(page)) tooWide.push(`${name} at ${width}, ${locale}`);
          for (const colorScheme of colorSchemes) {
            await page.emulateMedia({ colorScheme });
            shots.set(name, [...(shots.get(name) ?? []), await page.screenshot()]);
          }
        }
        await page.context().close();
      };
      const home = { name: 'pages', open: settled };
      await take(await openPage(browser, `${demonstration.url}/`, options), 'home', [home]);
      const strangers = await openPage(browser, `${demonstration.url}/chat/`, options);
      await take(strangers, 'chat', strangerViews);
      await take(await openChat(browser, demonstration, 'tom', options), 'chat', chatViews);
      await take(await openChat(browser, demonstration, alone, options), 'chat', emptyViews);
      const signIn = { name: 'sign-in', open: settled };
      await take(await openPage(browser, `${demonstration.url}/console/`, options), 'console', [signIn]);
      await take(await openConsole(browser, demonstration, options), 'console', consoleViews);
    }
    for (const [name, pictures] of shots)
      await writeSheet(pictures, width, join(folder, `${name}-${width}.png`));
  }
  return tooWide;
}

function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > window.innerWidth');
}

/** Puts pictures side by side, those of a desktop in two rows. */
async function writeSheet(
  pictures: readonly Buffer[],
  width: (typeof widths)[number],
  file: string,
): Promise<void> {
  const columns = width === 375 ? pictures.length : 2;
  const rows = Math.ceil(pictures.length / columns);
  const gap = 8;
  const [stepX, stepY] = [width + gap, heights[width] + gap];
  const sheet = { width: columns * stepX, height: rows * stepY, channels: 3, background: 'red' } as const;
  await sharp({ create: sheet })
    .composite(
      pictures.map((input, index) => ({
        input,
        left: (index % columns) * stepX,
        top: Math.floor(index / columns) * stepY,
      })),
    )
    .png()
    .toFile(file);
}
