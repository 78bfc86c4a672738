import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** The Chinese fonts with which the program draws: the machine may have none. The package exports only its entry. */
const fonts = join(dirname(createRequire(import.meta.url).resolve('@embedpdf/fonts-sc')), '../fonts');

/** Hands `use` a browser that can show Chinese. */
export async function withBrowser(
  executablePath: string,
  use: (browser: Browser) => Promise<void>,
): Promise<void> {
  const dataHome = await mkdtemp(join(tmpdir(), 'bubble-im-fonts-'));
  await symlink(fonts, join(dataHome, 'fonts'));
  const env = { ...process.env, XDG_DATA_HOME: dataHome };
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], env });
  try {
    await use(browser);
  } finally {
    await browser.close();
    await rm(dataHome, { recursive: true, force: true });
  }
}
