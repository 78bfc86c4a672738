import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { history } from '../../scripts/seed/history.ts';
import { treeConsumer } from '../../services/audit/tree/tree-consumer.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { type AuditedLog, auditedLogs } from '../support/auditing.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startProgram } from '../support/process.ts';
import { runScript } from '../support/script.ts';

/** As a shell shows a program that SIGINT ended. */
const codeOfSigint = 130;
const notice = 'interrupted: ending in good order (again: at once)\n';
const events = 4_000;

let world: AuditedLog;
let environment: Record<string, string>;
beforeAll(async () => {
  world = await auditedLogs[0][1]();
  environment = { LOG_LEVEL: 'error', ...world.environment };
  await appendInOrder(world.log, history({ events, seed: 'interrupted' }), () => undefined);
  const auditor = await world.startAuditor({ consumers: [treeConsumer] });
  await world.indexed(auditor);
  await auditor.stop();
});
afterAll(() => world.close());

/** Runs a command of which nobody reads what it writes, until `read` is called. */
function unread(script: string, ...parameters: string[]) {
  const child = spawn(process.execPath, [`scripts/${script}.ts`, ...parameters], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, stderr: text(child.stderr), ended: once(child, 'close').then(([code]) => code) };
}

/** Whether a text is a table as RFC 4180 has it, in which each row has as many fields as the heading. */
function isWholeCsv(csv: string): boolean {
  const rows = csv.match(/(?:"(?:[^"]|"")*"|[^",\n])*(?:,(?:"(?:[^"]|"")*"|[^",\n]*))*\n/g) ?? [];
  const widths = rows.map((row) => row.replaceAll(/"(?:[^"]|"")*"/g, '').split(',').length);
  return rows.join('') === csv && new Set(widths).size === 1;
}

const lines = (output: string) => output.split('\n').slice(0, -1);

describe('Ctrl-C while npm run replay shows events', () => {
  test.each([
    ['ndjson', (output: string) => lines(output).every((line) => JSON.parse(line).position)],
    ['csv', isWholeCsv],
    [
      'table',
      (output: string) =>
        lines(output)
          .slice(1)
          .every((line) => / {2}\[[0-9-]+\]$/.test(line)),
    ],
  ] as const)('as %s leaves whole lines, and ends with 130', async (format, isWhole) => {
    const { child, stderr, ended } = unread('replay', '--format', format);
    // It has filled the pipe, and waits for its reader.
    await once(child.stdout, 'readable');
    child.kill('SIGINT');
    const output = await text(child.stdout);
    expect(await ended).toBe(codeOfSigint);
    expect(await stderr).toBe(notice);
    expect(output.endsWith('\n')).toBe(true);
    expect(isWhole(output)).toBe(true);
    expect(lines(output).length).toBeLessThan(events);
  });

  test.each([
    ['SIGINT', codeOfSigint],
    ['SIGHUP', 129],
  ] as const)('that it looks for in the index ends the search at %s', async (signal, code) => {
    const held = await holding('lock table audit.events in access exclusive mode');
    const program = startProgram('scripts/replay.ts', ['--about', '1', '--by', '2'], environment);
    await held.waitedFor();
    program.signal(signal);
    // The lock is held still.
    expect(await program.ended).toBe(code);
    expect(program.stderr()).toBe(notice);
    expect(program.lines()).toEqual([]);
  });
});

/** Holds a lock in a transaction, until it is released or the test ends. */
async function holding(statement: string) {
  const client = new Client({ connectionString: world.url });
  await client.connect();
  let ended: Promise<void> | undefined;
  const release = () => {
    ended ??= client.end();
    return ended;
  };
  onTestFinished(release);
  await client.query(`begin; ${statement}`);
  return {
    release,
    /** Waits until a command waits for it. */
    async waitedFor() {
      const waiting = () =>
        world.query(`select from pg_locks where not granted and database =
        (select oid from pg_database where datname = current_database())`);
      await expect.poll(waiting, { timeout: 20_000, interval: 20 }).toHaveLength(1);
    },
  };
}

describe('Ctrl-C', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['explain', 'log.events', ['account', '1']],
    ['verify', 'audit.events', []],
    ['as-of', 'log.events', ['--at', '0s', 'user', '1']],
  ];

  test.each(cases)(
    'ends npm run %s with 130 and without half an answer',
    async (script, table, parameters) => {
      const held = await holding(`lock table ${table} in access exclusive mode`);
      const program = startProgram(`scripts/${script}.ts`, parameters, environment);
      await held.waitedFor();
      program.signal('SIGINT');
      await expect.poll(() => program.stderr()).toContain(notice);
      await held.release();
      expect(await program.ended).toBe(codeOfSigint);
      expect(program.lines()).toEqual([]);
      expect(program.stderr()).toBe(notice);
    },
  );

  test('in the middle of npm run as-of leaves no read models behind', async () => {
    // Its schema is made, and nothing is in it yet.
    const held = await holding('lock table followers.checkpoint in exclusive mode');
    const query = ['--at', '0s', 'pop/get', '--login_uid', '1'];
    const program = startProgram('scripts/as-of.ts', query, environment);
    await held.waitedFor();
    const schemas = () => world.query(`select from pg_namespace where nspname like 'as\\_of\\_%'`);
    expect(await schemas()).toHaveLength(1);
    program.signal('SIGINT');
    await expect.poll(() => program.stderr()).toContain(notice);
    await held.release();
    expect(await program.ended).toBe(codeOfSigint);
    expect(program.lines()).toEqual([]);
    expect(await schemas()).toEqual([]);
    expect(await world.query(`select from followers.checkpoint where name like 'as\\_of%'`)).toEqual([]);
  });

  test('leaves an export that goes on where it stopped', async () => {
    const folder = join(await temporaryFolder(), 'export');
    const held = await holding('lock table log.events in access exclusive mode');
    const program = startProgram('scripts/export.ts', ['--to', folder], environment);
    await held.waitedFor();
    program.signal('SIGINT');
    await expect.poll(() => program.stderr()).toContain(notice);
    await held.release();
    expect(await program.ended).toBe(codeOfSigint);
    expect(program.lines()).toEqual([]);
    const again = await runScript('export', ['--to', folder], environment);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/^\d+ events are in the copy\. Both have the root /);
  });
});

test.each([
  ['replay', ['--format', 'csv']],
  ['explain', ['account', '1']],
  ['as-of', ['--at', '0s', 'user', '1']],
  ['verify', []],
] as const)(
  'npm run %s whose output nobody reads ends with 0 and without an error',
  async (script, parameters) => {
    const { child, stderr, ended } = unread(script, ...parameters);
    child.stdout.destroy();
    expect(await ended).toBe(0);
    expect(await stderr).toBe('');
  },
);

test.skipIf(!existsSync('/dev/full')).each([
  ['replay', ['--format', 'ndjson']],
  ['explain', ['account', '1']],
  ['as-of', ['--at', '0s', 'user', '1']],
  ['verify', []],
] as const)(
  'npm run %s whose output has no place on its disk says so, and ends with 1',
  async (script, parameters) => {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const child = spawn(process.execPath, [`scripts/${script}.ts`, ...parameters], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', full, 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [stderr] = await Promise.all([child.stderr && text(child.stderr), once(child, 'close')]);
    expect(stderr).toBe('the output cannot be written: ENOSPC: no space left on device, write\n');
    expect(child.exitCode).toBe(1);
  },
);
