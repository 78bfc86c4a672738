import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Auditor, startAuditor } from '../../services/audit/auditor.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { type Person, two } from '../support/client.ts';

let running: RunningApplication;
let auditor: Auditor;
let tom: Person;
let jerry: Person;

beforeAll(async () => {
  running = await startApplication();
  const { log } = running.application;
  auditor = await startAuditor({ log, database: running.databaseUrl, logger: silent });
  [tom, jerry] = await two(running);
  await tom.post('/user/update', { nickname: '汤姆', account_state: 'disabled' });
  const end = await log.end();
  await vi.waitUntil(() => auditor.status().checkpoint >= end, { timeout: 20_000 });
});

afterAll(async () => {
  await auditor.stop();
  await running.stop();
});

/** What the command writes, and the code that it ends with. */
async function run(...parameters: string[]) {
  const env = { PATH: process.env.PATH, DATABASE_URL: running.databaseUrl };
  try {
    const ran = await promisify(execFile)(process.execPath, ['scripts/explain.ts', ...parameters], { env });
    return { ...ran, code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
    return { stdout, stderr, code };
  }
}

describe('npm run explain', () => {
  test('shows each change with what else its request did, and ends with the answer', async () => {
    const { stdout, code } = await run('account', String(tom.uid));
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(stdout).toMatch(
      new RegExp(
        `AccountDisabled at user-${tom.uid}@2 .*\n {4}the same request: .*ProfileChanged at user-${tom.uid}@1`,
      ),
    );
    expect(lines.at(-1)).toMatch(
      new RegExp(`^person ${tom.uid} \\(汤姆\\) has no active account: 账号已被禁用 \\(code 85\\), since `),
    );
  });

  test('gives the same facts as JSON', async () => {
    const { stdout } = await run('account', String(jerry.uid), '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      question: { kind: 'account', uid: jerry.uid },
      verdict: { value: true },
      steps: [{ cause: { type: 'UserRegistered' } }],
    });
  });

  test.each([
    [['account', '8888888'], 'explain: there is no person 8888888'],
    [['why', '9'], 'explain: there is no question "why"; the questions are: can-speak UID group GID'],
    [['account', '1', '--at', 'yesterday'], 'explain: "yesterday" is no time: give 2h'],
    [['account', '1', '--at', '9999999999999999'], 'explain: there is no event at position 9999999999999999'],
    [['account', '1', '--at', '2019-01-01'], 'explain: there was no person 1 on 2019-01-01'],
    [['account', '1', '--at', '2999-01-01'], 'explain: 2999-01-01 00:00:00 '],
    [['account', '1', '--format', 'csv'], 'there is no format csv'],
  ])('ends %j with 1 and says what is wrong', async (parameters, reason) => {
    const { stdout, stderr, code } = await run(...parameters);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(reason);
  });
});
