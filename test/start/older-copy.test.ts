import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import { befriended } from '../support/conversation.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { EventStoreDBDouble } from '../support/eventstoredb-double.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

const run = promisify(execFile);
const Sync = z.object({ reset: z.boolean(), position: z.string() });
const Messages = z.array(z.object({ content: z.string() }));
const patiently = { timeout: 30_000, interval: 100 };

/** A store of the log whose data can be put back to an older copy. */
interface StoreWithCopies {
  /** @returns the variables by which a program finds it */
  start(): Promise<Record<string, string>>;
  /** Copies the data as they are now. */
  copy(): Promise<void>;
  /** Puts the copy in the place of the data, as a failover to a standby that lagged does. */
  putBack(): Promise<void>;
}

class PostgresWithCopies implements StoreWithCopies {
  readonly #folder: string;
  #server: EmbeddedPostgres | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    onTestFinished(() => this.#server?.stop());
  }

  async start(): Promise<Record<string, string>> {
    this.#server = await startEmbeddedPostgres({ folder: this.#folder, logger: pino({ level: 'silent' }) });
    return { DATABASE_URL: this.#server.url };
  }

  async copy(): Promise<void> {
    await this.#server?.stop();
    await run('cp', ['-a', join(this.#folder, 'data'), join(this.#folder, 'older')]);
    await this.start();
  }

  async putBack(): Promise<void> {
    await this.#server?.stop();
    await rm(join(this.#folder, 'data'), { recursive: true });
    await run('mv', [join(this.#folder, 'older'), join(this.#folder, 'data')]);
    await this.start();
  }
}

/** The accounts and read models are in a Postgres that stays as it is. */
class EventStoreDBWithCopies implements StoreWithCopies {
  readonly #double = new EventStoreDBDouble();
  #copied = 0;

  async start(): Promise<Record<string, string>> {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    await this.#double.start();
    onTestFinished(() => this.#double.kill());
    return { DATABASE_URL: database.url, EVENTSTORE_URL: this.#double.url };
  }

  async copy(): Promise<void> {
    this.#copied = this.#double.store.records.length;
  }

  async putBack(): Promise<void> {
    this.#double.kill();
    this.#double.store.restore(this.#copied);
    await this.#double.start();
  }
}

const isReady = async ({ url }: Standalone) => (await fetch(`${url}/ready`)).status === 200;

describe.for<readonly [string, () => Promise<StoreWithCopies>]>([
  ['Postgres', async () => new PostgresWithCopies(await temporaryFolder())],
  ['EventStoreDB (a double)', async () => new EventStoreDBWithCopies()],
])('a program with its log in %s', ([, open]) => {
  test('goes on from an older copy of it, shows what is sent, and has clients load afresh', {
    timeout: 120_000,
  }, async () => {
    const store = await open();
    const program = await startStandalone(await temporaryFolder(), await store.start());
    const [tom, jerry] = await befriended(program);
    const send = (content: string) =>
      program
        .call('/api/message/send', tom, { to: jerry.uid, type: 'friend', content })
        .then(({ code }) => code);
    const sent = (content: string) => vi.waitUntil(async () => (await send(content)) === 0, patiently);
    const sync = async (since?: string) => {
      const headers = { authorization: `Bearer ${jerry.token}` };
      const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
      const answer: unknown = await (
        await fetch(`${program.url}/api/message/sync${query}`, { headers })
      ).json();
      return Sync.parse(z.object({ data: z.unknown() }).parse(answer).data);
    };
    const shown = async () => {
      const { data } = await program.call('/api/message/get', jerry, { id: tom.uid, type: 'friend' });
      return Messages.parse(data)
        .map(({ content }) => content)
        .filter((content) => content.startsWith('message '));
    };
    await sent('message 1');
    await store.copy();
    await vi.waitUntil(() => isReady(program), patiently);
    await sent('message 2');
    await sent('message 3');
    const later = await sync();
    await store.putBack();
    await vi.waitUntil(() => /the log went back/.test(program.program.stderr()), patiently);
    await vi.waitUntil(() => isReady(program), patiently);
    await sent('message 4');
    expect((await shown()).toSorted()).toEqual(['message 1', 'message 4']);
    const afresh = await sync(later.position);
    expect(afresh.reset).toBe(true);
    expect(afresh.position.split('.')[0]).not.toBe(later.position.split('.')[0]);
    expect(await sync(afresh.position)).toEqual({ reset: false, position: afresh.position });
  });
});
