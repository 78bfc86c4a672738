import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import type { Bench } from './main.ts';

/** How long any step may take, in milliseconds. */
const timeoutMs = 600_000;
const repository = join(import.meta.dirname, '../..');

export const bench: Bench = {
  summary:
    'a newcomer: from the clone to the first message on the chat page (needs Chromium, git and the registry)',
  options: (command) =>
    command
      .option('--port <port>', 'where the program listens', '8798')
      .option('--chromium <path>', 'the browser', '/usr/bin/chromium'),
  async run({ port, chromium: executablePath }) {
    const folder = await mkdtemp(join(tmpdir(), 'bubble-im-newcomer-'));
    const clone = join(folder, 'bubble-im');
    const environment = { ...process.env, PORT: String(port), LOG_LEVEL: 'warn' };
    const step = (command: string, ...parameters: readonly string[]) =>
      spawn(command, parameters, { cwd: clone, env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
    let program: ChildProcess | undefined;
    try {
      await timed('git clone', () =>
        mustEnd(spawn('git', ['clone', '--quiet', '--no-local', repository, clone], { stdio: 'inherit' })),
      );
      await timed('npm ci', () => mustEnd(step('npm', 'ci', '--no-audit', '--no-fund', '--silent')));
      await timed('npm start, until it is ready', async () => {
        program = step('npm', 'start', '--silent');
        await isReady(`http://127.0.0.1:${port}/ready`, program);
      });
      await timed('npm run demo', () => mustEnd(step('npm', 'run', '--silent', 'demo')));
      const kept = await readFile(join(clone, 'data', 'app-secret'), 'utf8');
      const secret = /^APP_SECRET=(.*)$/m.exec(kept)?.[1] ?? '';
      await inBrowser(String(executablePath), `http://127.0.0.1:${port}/chat/`, secret);
    } finally {
      if (program && program.exitCode === null) {
        program.kill('SIGTERM');
        await once(program, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function timed(name: string, act: () => Promise<void>): Promise<void> {
  const begun = performance.now();
  await act();
  console.log(`${name.padEnd(44)}${((performance.now() - begun) / 1_000).toFixed(1).padStart(8)} s`);
}

async function mustEnd(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`);
}

async function isReady(url: string, program: ChildProcess): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end && program.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await delay(50);
  }
  throw new Error('bubble-im did not start');
}

/** What the newcomer does on the page, without the time in which a person reads and types. */
async function inBrowser(executablePath: string, url: string, secret: string): Promise<void> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
    await timed('the page, until the form can be used', async () => {
      await page.goto(url);
      await page.getByLabel('Username').waitFor();
    });
    await timed('registering, with the code of the page', () => register(page, secret));
    await timed('finding somebody, and the first message', () => writeFirst(page));
    const paint = await page.evaluate<number>(
      `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`,
    );
    console.log(`first contentful paint ${Math.round(paint)} ms`);
  } finally {
    await browser.close();
  }
}

async function register(page: Page, secret: string): Promise<void> {
  await page.getByRole('button', { name: 'No account?' }).click();
  await page.getByLabel('Username').fill('newcomer');
  await page.getByLabel('Nickname').fill('Newcomer');
  await page.getByLabel('Password', { exact: true }).fill('secret-1');
  await page.getByLabel('Phone number').fill('13800000000');
  await page.getByRole('button', { name: 'Get a code' }).click();
  await page.getByLabel('APP_SECRET').fill(secret);
  await page.getByRole('button', { name: 'Show the code' }).click();
  await page.locator('input[name=code]:valid').waitFor();
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByRole('link', { name: 'Add', exact: true }).waitFor();
}

async function writeFirst(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Add', exact: true }).click();
  await page.getByLabel('Username or number').fill('jerry');
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await page.getByRole('link', { name: 'Chat', exact: true }).click();
  await page.getByLabel('Write a message').fill('Hello!');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.locator('.message.mine[data-mid]', { hasText: 'Hello!' }).waitFor();
}
