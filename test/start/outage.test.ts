import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { programLog } from '../../services/logger.ts';
import { Outage } from '../../services/postgres/outage.ts';
import { patiently } from '../support/conversation.ts';
import { createDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startDatabaseProxy } from '../support/proxy.ts';
import { startStandalone } from '../support/standalone.ts';

const Line = z.looseObject({ level: z.int(), msg: z.string(), leftOut: z.int().optional() });
const warn = 40;

async function proxiedDatabase() {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  return startDatabaseProxy(database.url);
}

test('an outage of the database and its end are logged once each, despite other failures that follow', async () => {
  const proxy = await proxiedDatabase();
  const environment = { DATABASE_URL: proxy.url, LOG_LEVEL: 'info' };
  const bubble = await startStandalone(await temporaryFolder(), environment);
  const account = { username: 'tom', nickname: '猫猫', password: 'secret-1' };
  await bubble.call('/api/user/add', 'server', account);
  const login = await bubble.call('/api/login/login', 'nobody', account);
  const { token } = z.object({ token: z.string() }).parse(login.data);
  const document = new FormData();
  document.append('file', new File(['kept'], 'a.txt', { type: 'text/plain' }));
  const uploaded = await fetch(`${bubble.url}/api/upload/file`, {
    ...{ method: 'POST', body: document, headers: { authorization: `Bearer ${token}` } },
  });
  const { data: file } = z.object({ data: z.object({ src: z.string() }) }).parse(await uploaded.json());
  const before = bubble.program.stderr().length;
  const lines = () =>
    bubble.program
      .stderr()
      .slice(before)
      .split('\n')
      .filter(Boolean)
      .map((line) => Line.parse(JSON.parse(line)));
  const messages = () => lines().map(({ msg }) => msg);

  proxy.refuse(true);
  for (let asked = 0; asked < 10; asked++) {
    expect(await bubble.call('/api/pop/get', { token })).toMatchObject({ code: 503 });
  }
  await expect.poll(messages, patiently).toContain('the database is away');
  const download = await fetch(`http:${file.src}`);
  expect(download.status).toBe(503);
  expect(await download.json()).toEqual({ code: 503, msg: '服务暂不可用,请稍后再试', data: [] });
  expect(await bubble.call('/api/user/update', { token }, { sign: '懒' })).toMatchObject({ code: 503 });
  proxy.refuse(false);
  await expect.poll(messages, patiently).toContain('the database is back');
  await expect.poll(() => bubble.call('/api/pop/get', { token }), patiently).toMatchObject({ code: 0 });
  const back = lines().find(({ msg }) => msg === 'the database is back');
  expect(back?.leftOut).toBeGreaterThan(10);
  expect(lines().filter(({ level, msg }) => level >= warn && !/fsync/.test(msg))).toMatchObject([
    { msg: 'the database is away', err: { message: expect.any(String) } },
  ]);
});

test('a lasting outage is logged again at the interval, and failures with another cause as usual', async () => {
  const proxy = await proxiedDatabase();
  const lines: z.infer<typeof Line>[] = [];
  const { logger, leaveOut } = programLog('info', {
    write: (line) => lines.push(Line.parse(JSON.parse(line))),
  });
  const outage = new Outage({ databaseUrl: proxy.url, logger, leaveOut, remindEveryMs: 200 });
  onTestFinished(() => outage.stop());
  const broken = { err: new Error('Connection terminated unexpectedly') };
  const messages = () => lines.map(({ msg }) => msg);

  // The database answers, so one connection broke and no more.
  logger.warn(broken, 'a connection broke');
  await expect.poll(messages, patiently).toEqual(['a connection broke']);

  proxy.refuse(true);
  logger.child({}).warn(broken, 'a request failed');
  await expect
    .poll(() => messages().filter((msg) => msg === 'the database is still away').length, patiently)
    .toBeGreaterThanOrEqual(2);
  logger.warn(broken, 'another request failed');
  logger.warn({ err: new Error('no such column') }, 'a fault');
  logger.fatal(broken, 'the end');
  proxy.refuse(false);
  await expect.poll(messages, patiently).toContain('the database is back');
  expect(new Set(messages())).toEqual(
    new Set([
      ...['a connection broke', 'the database is away', 'the database is still away', 'a fault', 'the end'],
      'the database is back',
    ]),
  );
  expect(messages().filter((msg) => msg === 'the database is away')).toHaveLength(1);
});
