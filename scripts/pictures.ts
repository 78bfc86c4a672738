import { Command } from 'commander';
import { withBrowser } from './pictures/browser.ts';
import { startDemonstration } from './pictures/demonstration.ts';
import { takeEveryView } from './pictures/every-view.ts';
import { takeReadmePictures } from './pictures/readme.ts';

/** `npm run pictures`: takes pictures of the pages, of a demonstration of its own. */

interface Options {
  readonly every?: string;
  readonly port: string;
  readonly chromium: string;
}

const command = new Command('pictures')
  .description('Takes the pictures of the README into docs/images.')
  .option(
    '--every <folder>',
    'every view instead: 375 and 1280 pixels wide, in both languages, light and dark',
  )
  .option('--port <port>', 'where the demonstration listens', '8799')
  .option('--chromium <path>', 'the browser', '/usr/bin/chromium')
  .action(async ({ every, port, chromium: executablePath }: Options) => {
    const demonstration = await startDemonstration(Number(port));
    try {
      await withBrowser(executablePath, async (browser) => {
        if (every === undefined) return takeReadmePictures(browser, demonstration);
        for (const line of await takeEveryView(browser, demonstration, every))
          console.log(`too wide: ${line}`);
      });
    } finally {
      await demonstration.stop();
    }
  });

await command.parseAsync();
