import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication, testApp } from '../support/application.ts';
import { type Person, two } from '../support/client.ts';

let running: RunningApplication;
let tom: Person;
let jerry: Person;
/** The answer to Tom's home page, and the end of the log, before he was renamed. */
let home: string;
let before: string;

beforeAll(async () => {
  running = await startApplication();
  [tom, jerry] = await two(running);
  await tom.post('/message/send', { to: jerry.uid, type: 'friend', content: '你好' });
  before = await running.application.log.end();
  const url = `/api/pop/get?login_uid=${tom.uid}`;
  home = (await running.server.inject({ url, headers: serverKey })).payload;
  await tom.post('/user/update', { nickname: '汤姆' });
  await running.shown();
});

afterAll(() => running.stop());

/** What the command writes, and the code that it ends with. */
async function run(...parameters: string[]) {
  const { PATH } = process.env;
  const keys = { APP_KEY: testApp.key, APP_SECRET: testApp.secret };
  // The server of the tests has fsync off, of which the log warns.
  const env = { PATH, LOG_LEVEL: 'error', DATABASE_URL: running.databaseUrl, ...keys };
  try {
    const ran = await promisify(execFile)(process.execPath, ['scripts/as-of.ts', ...parameters], { env });
    return { ...ran, code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
    return { stdout, stderr, code };
  }
}

const schemas = async () =>
  (await running.application.pool.query(`select nspname from pg_namespace where nspname like 'as\\_of\\_%'`))
    .rowCount;

describe('npm run as-of', () => {
  test('folds the state of a moment', async () => {
    const { stdout } = await run('--at', before, 'user', String(tom.uid));
    expect(JSON.parse(stdout)).toMatchObject({ uid: tom.uid, nickname: 'tom' });
  });

  test('gives the answer of the API byte for byte, also without an index, and leaves nothing behind', async () => {
    const query = ['--at', before, '--host', 'localhost:80', 'pop/get', '--login_uid', String(tom.uid)];
    const { stdout, stderr, code } = await run(...query);
    expect({ stdout, code }).toEqual({ stdout: `${home}\n`, code: 0 });
    expect(stderr).toBe('as-of: there is no index of the log: reading all events from the beginning\n');
    expect(await schemas()).toBe(0);
  });

  test('answers from the log alone, and says what it reads', async () => {
    const query = [
      '--at',
      before,
      '--from-log',
      '--host',
      'localhost:80',
      'pop/get',
      '--login_uid',
      String(tom.uid),
    ];
    const { stdout, stderr, code } = await run(...query);
    expect({ stdout, code }).toEqual({ stdout: `${home}\n`, code: 0 });
    expect(stderr).toBe('as-of: --from-log: reading all events from the beginning\n');
    expect(await schemas()).toBe(0);
  });

  test('keeps the read models of a moment for further questions, until they are forgotten', async () => {
    const mine = ['--login_uid', String(tom.uid)];
    await run('--at', before, '--keep', 'pop/get', ...mine);
    expect(await schemas()).toBe(1);
    const again = await run('--at', before, '--host', 'localhost:80', 'pop/get', ...mine);
    // Nothing is made: the log is not read.
    expect(again).toEqual({ stdout: `${home}\n`, stderr: '', code: 0 });
    expect(await schemas()).toBe(1);
    expect((await run('--forget')).stdout).toBe('dropped the read models of 1 moment\n');
    expect(await schemas()).toBe(0);
    expect((await run('--forget')).stdout).toBe('nothing was kept\n');
  });

  test('prints a refusal that the API gave, and ends with 2, which a script can tell from no answer', async () => {
    const { stdout, code } = await run('--at', before, 'user/get', '--uid', '8888888');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ code: 101 });
  });

  test.each([
    [['--at', '2h', '--keep', 'user', '9'], '--keep keeps read models, and user is folded from the log'],
    [['--kept', '--forget'], '--kept and --forget are different things'],
    [['--kept', '--from-log'], '--kept and --forget take no query'],
    [['--kept', '--at', '2h'], '--kept and --forget take no query'],
    [['user', '9'], 'as-of: --at is missing: a time such as 2h'],
    [['--at', '1h'], 'as-of: no query is given; queries are: group GID, user UID'],
    [['--at', '1h', 'weather', '9'], 'as-of: there is no query "weather"'],
    [['--at', '0s', 'user', '8888888'], 'as-of: there was no person 8888888 on'],
    [
      ['--at', '0s', 'message/send', '--login_uid', '1'],
      'as-of: message/send cannot be answered: it is no query',
    ],
    [
      ['--at', '0s', 'pop/get', '--login_uid', '9', '--nonsense', '3'],
      'as-of: nonsense: pop/get has no such parameter: it takes login_uid, limit, start',
    ],
    [
      ['--at', '0s', 'pop/getsetting', '--limit', '3'],
      'limit: pop/getsetting has no such parameter: it takes none',
    ],
    [
      ['pop/get', '--login_uid', '9', '--at', '2h'],
      '--at is missing: a time such as 2h or 2026-11-27T10:00, or a position; options',
    ],
    [['--at', 'soon', 'settings'], 'as-of: "soon" is no time'],
    [['--at', '2999-01-01T00:00:00Z', 'settings'], ' is in the future, of which nothing is known yet'],
  ])('ends %j with 1 and says what is wrong', async (parameters, reason) => {
    const { stdout, stderr, code } = await run(...parameters);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(reason);
  });
});
