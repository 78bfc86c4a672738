import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { postgresFolder } from '../../services/installation.ts';
import { runningEmbeddedUrl } from '../../services/postgres/embedded/embedded.ts';
import { afterAllTests } from '../support/at-end.ts';
import { befriended, type Person, send } from '../support/conversation.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startProgram } from '../support/process.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';
import { hasBrowser, openConsole, startBrowser } from './browser.ts';

/** The advisory lock that the test holds while it looks at the page. */
const lock = 4_711;

/**
 * What a rebuild and a backup wait at, if the lock is held: a rebuild after its first transaction, a backup before it
 * reads this table, when it has copied the log and the uploads. A lock of a table would stop the page, too, which asks
 * for the size of each.
 */
const waitingPoints = `
  create function followers.wait_for_test() returns boolean language plpgsql as $$
  begin
    perform pg_advisory_xact_lock(${lock});
    return true;
  end $$;
  create function followers.wait_in_trigger() returns trigger language plpgsql as $$
  begin
    perform followers.wait_for_test();
    return new;
  end $$;
  create trigger wait_for_test before update on followers.checkpoint for each row
    when (new.name = 'read-next' and old.position <> '' and new.position > old.position)
    execute function followers.wait_in_trigger();
  alter table accounts.upload_usage enable row level security, force row level security;
  create policy wait_for_test on accounts.upload_usage using (followers.wait_for_test())`;

describe.skipIf(!hasBrowser)('what is under way, in the console (chromium)', { timeout: 90_000 }, () => {
  const atEnd = afterAllTests();
  let dataFolder: string;
  let running: Standalone;
  let browser: Browser;
  let database: pg.Client;
  let page: Page;
  let tom: Person;
  let complaints: readonly string[];

  beforeAll(async () => {
    dataFolder = await temporaryFolder(atEnd);
    running = await startStandalone(dataFolder, {}, atEnd);
    let jerry: Person;
    [tom, jerry] = await befriended(running);
    for (let index = 0; index < 30; index++) await send(running, tom, jerry, `第${index}条`);
    database = new pg.Client({ connectionString: await runningEmbeddedUrl(postgresFolder(dataFolder)) });
    database.on('error', () => undefined);
    await database.connect();
    atEnd(() => database.end());
    await database.query(waitingPoints);
    browser = await startBrowser(atEnd);
    ({ page, complaints } = await openConsole(browser, running, { locale: 'en-US' }));
    page.setDefaultTimeout(30_000);
    await page.getByRole('link', { name: 'Maintenance' }).click();
    await page.getByText('No rebuild is under way.').waitFor();
    await page.getByText('No backup is under way.').waitFor();
  }, 90_000);

  /** Runs an operator's command beside the program. */
  const run = (script: string, ...parameters: readonly string[]) =>
    startProgram(`scripts/${script}.ts`, parameters, { DATA_DIR: dataFolder }, atEnd);

  test('a rebuild is shown with the part that is done, and then with its end', async () => {
    await database.query('select pg_advisory_lock($1)', [lock]);
    const rebuild = run('rebuild', '--batch', '5');
    await page.getByText(/^The read models are made again: [1-9]\d? % done$/).waitFor();
    const share = Number(await page.getByRole('progressbar', { name: 'Rebuild' }).getAttribute('value'));
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
    await page.getByRole('cell', { name: 'Read models that are made again' }).waitFor();

    await database.query('select pg_advisory_unlock($1)', [lock]);
    await page.getByText(/^The rebuild ended at /).waitFor();
    expect(await page.getByRole('progressbar').count()).toBe(0);
    expect(await rebuild.ended, rebuild.stderr()).toBe(0);
  });

  test('a rebuild that was interrupted says how far it came', async () => {
    await database.query('select pg_advisory_lock($1)', [lock]);
    const rebuild = run('rebuild', '--batch', '5');
    await page.getByText(/^The read models are made again: [1-9]\d? % done$/).waitFor();
    rebuild.signal('SIGKILL');
    // The connection ends when its statement has: a waiting one does not notice that nobody is there.
    await database.query('select pg_advisory_unlock($1)', [lock]);
    await page.getByText(/^The rebuild was interrupted at [1-9]\d? %/).waitFor();
  });

  test('a backup is shown with what is copied, and then with its end', async () => {
    const body = new FormData();
    body.set('file', new Blob(['hello']), 'contract.txt');
    const headers = { authorization: `Bearer ${tom.token}` };
    await fetch(`${running.url}/api/upload/file`, { method: 'POST', headers, body });
    await database.query('select pg_advisory_lock($1)', [lock]);
    const backup = run('backup', '--to', await temporaryFolder(atEnd));
    await page.getByText(/^A backup is under way: [1-9]\d+ events and 1 uploads are copied\./).waitFor();

    await database.query('select pg_advisory_unlock($1)', [lock]);
    await page.getByText(/^The backup ended at /).waitFor();
    expect(await backup.ended, backup.stderr()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
