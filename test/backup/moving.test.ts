import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { backedUpEvents } from '../../services/backup/log-files.ts';
import { readManifest } from '../../services/backup/manifest.ts';
import { befriended, createGroup, type Person, send } from '../support/conversation.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { temporaryFolder } from '../support/folder.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { runScript } from '../support/script.ts';
import { type Callable, type Standalone, startStandalone } from '../support/standalone.ts';

const patiently = { timeout: 30_000, interval: 50 };

const Ready = z.object({ parts: z.object({ projections: z.object({ lag_ms: z.number() }) }) });

/** Waits until a program shows all that its log holds. */
const ready = ({ url }: Callable) =>
  vi.waitUntil(async () => {
    const answer = await fetch(`${url}/ready`);
    return answer.status === 200 && Ready.parse(await answer.json()).parts.projections.lag_ms === 0;
  }, patiently);

async function end({ program }: Standalone): Promise<void> {
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
}

/** Sends messages from several connections, and remembers when each was acknowledged. */
class Load {
  readonly acknowledged: { readonly content: string; readonly at: number }[] = [];
  #stopped = false;
  readonly #done: Promise<unknown>;

  constructor(api: Callable, from: Person, to: Person, lanes: number) {
    const lane = async (name: number) => {
      for (let count = 0; !this.#stopped; count++) {
        const content = `load ${name} ${count}`;
        await send(api, from, to, content);
        this.acknowledged.push({ content, at: Date.now() });
      }
    };
    this.#done = Promise.all(Array.from({ length: lanes }, (_, name) => lane(name)));
  }

  async more(count: number): Promise<void> {
    const enough = this.acknowledged.length + count;
    await vi.waitUntil(() => this.acknowledged.length >= enough, patiently);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

/** What people see of an installation, by several calls with the tokens that they have. */
async function answersOf(api: Callable, [tom, jerry]: readonly [Person, Person], gid: string) {
  const of = async (path: string, by: Person, parameters = {}) => {
    const answer = await api.call(path, by, parameters);
    expect(answer).toMatchObject({ code: 0 });
    // The home page names the address of the websocket.
    return JSON.parse(JSON.stringify(answer.data).replaceAll(`:${api.port}`, ':port'));
  };
  const friend = { id: tom.uid, type: 'friend' };
  return {
    // Reading messages changes what is unread, so it comes first.
    messages: await of('/api/message/get', jerry, { ...friend, limit: 100 }),
    groupMessages: await of('/api/message/get', tom, { id: gid, type: 'group', limit: 100 }),
    person: await of('/api/user/get', tom, { uid: jerry.uid }),
    friends: await of('/api/friend/getlist', tom),
    home: await of('/api/pop/get', jerry),
    group: await of('/api/group/detail', jerry, { gid }),
    unread: await of('/api/message/unreadcount', jerry, friend),
  };
}

async function upload(api: Callable, { token }: Person): Promise<string> {
  const body = new FormData();
  body.set('file', new File(['what somebody wrote down'], 'notes.txt'));
  const answer = await fetch(`${api.url}/api/upload/file`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  const { data } = z.object({ data: z.object({ src: z.string() }) }).parse(await answer.json());
  return new URL(data.src, api.url).pathname;
}

async function position(api: Callable, { token }: Person, since?: string) {
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  const answer = await fetch(`${api.url}/api/message/sync${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return z.object({ data: z.object({ reset: z.boolean(), position: z.string() }) }).parse(await answer.json())
    .data;
}

async function lastMid(api: Callable, person: Person, friend: Person): Promise<number> {
  const { data } = await api.call('/api/message/get', person, { id: friend.uid, type: 'friend', limit: 1 });
  return z.array(z.object({ mid: z.coerce.number() })).parse(data)[0]?.mid ?? 0;
}

const Event = z.object({ type: z.literal('MessageSent'), data: z.object({ content: z.string() }) });

/** The contents of the messages in a backup. */
async function messagesIn(folder: string): Promise<Set<string>> {
  const { log } = (await readManifest(folder)) ?? { log: { files: [] } };
  const contents = new Set<string>();
  for await (const event of backedUpEvents(join(folder, 'log'), log.files)) {
    const { data } = Event.safeParse(event);
    if (data) contents.add(data.data.content);
  }
  return contents;
}

async function backUp(environment: Readonly<Record<string, string>>, to: string) {
  const result = await runScript('backup', ['--to', to], environment);
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('Verified: ') });
  return result;
}

describe('a backup', () => {
  test('taken under load has all that was acknowledged before its moment; restored, the installation answers the same and has clients load afresh', {
    timeout: 180_000,
  }, async () => {
    const [dataFolder, backup, target] = await Promise.all([
      preparedFolder(),
      temporaryFolder(),
      temporaryFolder(),
    ]);
    const before = await startStandalone(dataFolder);
    const people = await befriended(before);
    const [tom, jerry] = people;
    const { gid } = await createGroup(before, tom, jerry);
    const file = await upload(before, tom);
    const load = new Load(before, tom, jerry, 4);
    await load.more(50);
    const began = Date.now();
    await backUp({ DATA_DIR: dataFolder }, backup);
    await load.more(1);
    await load.stop();
    const { moment = 0 } = (await readManifest(backup)) ?? {};
    expect(moment).toBeGreaterThan(began);
    const copied = await messagesIn(backup);
    const lost = load.acknowledged.filter(({ content, at }) => at < moment && !copied.has(content));
    expect(lost).toEqual([]);

    await send(before, jerry, { gid }, 'the last word');
    const second = await backUp({ DATA_DIR: dataFolder }, backup);
    expect(second.stdout).toMatch(/^(?:[1-9]\d*) events and 0 uploads were copied now/);
    const later = await position(before, jerry);
    const answers = await answersOf(before, people, gid);
    const mid = await lastMid(before, jerry, tom);
    await end(before);

    expect(await runScript('restore', ['--from', backup], { DATA_DIR: target })).toMatchObject({ code: 0 });
    const after = await startStandalone(target);
    await ready(after);
    expect(after.key).toBe(before.key);
    expect(await answersOf(after, people, gid)).toEqual(answers);
    expect(await (await fetch(`${after.url}${file}`)).text()).toBe('what somebody wrote down');
    expect(await position(after, jerry, later.position)).toMatchObject({ reset: true });
    await send(after, tom, jerry, 'here again');
    expect(await lastMid(after, jerry, tom)).toBeGreaterThan(mid + 1_000_000);
    const again = await runScript('restore', ['--from', backup], { DATA_DIR: target });
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is in use by the process') });
  });

  const eventStoreUrl = process.env.EVENTSTORE_URL ?? '';

  test.skipIf(eventStoreUrl === '')(
    'moves an installation from one process to EventStoreDB and Postgres, and back (needs EVENTSTORE_URL)',
    { timeout: 180_000 },
    async () => {
      const [dataFolder, serversFolder, backup, target] = await Promise.all([
        preparedFolder(),
        temporaryFolder(),
        temporaryFolder(),
        temporaryFolder(),
      ]);
      const one = await startStandalone(dataFolder);
      const people = await befriended(one);
      const [tom, jerry] = people;
      const { gid } = await createGroup(one, tom, jerry);
      await send(one, tom, jerry, 'in the embedded Postgres');
      const answers = await answersOf(one, people, gid);
      await backUp({ DATA_DIR: dataFolder }, backup);
      await end(one);

      const database = await createEmptyDatabase();
      onTestFinished(() => database.drop());
      const servers = {
        DATABASE_URL: database.url,
        EVENTSTORE_URL: eventStoreUrl,
        STREAM_PREFIX: `backup${randomUUID().slice(0, 8)}-`,
        DATA_DIR: serversFolder,
      };
      expect(await runScript('restore', ['--from', backup], servers)).toMatchObject({ code: 0 });
      const moved = await startStandalone(serversFolder, servers);
      await ready(moved);
      expect(await answersOf(moved, people, gid)).toEqual(answers);
      await send(moved, tom, jerry, 'in EventStoreDB');
      const answersThere = await answersOf(moved, people, gid);
      const next = await backUp(servers, backup);
      expect(next.stdout).toMatch(/^[1-9] events and/);
      await end(moved);
      const refused = await runScript('restore', ['--from', backup], { ...servers, DATA_DIR: target });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the target is not empty') });

      expect(await runScript('restore', ['--from', backup], { DATA_DIR: target })).toMatchObject({ code: 0 });
      const back = await startStandalone(target);
      await ready(back);
      expect(await answersOf(back, people, gid)).toEqual(answersThere);
      expect(await readFile(join(target, 'app-secret'), 'utf8')).toContain(one.key);
    },
  );
});
