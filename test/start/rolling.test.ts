import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { areInOrder, befriended, insist, patiently, Sending } from '../support/conversation.ts';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { query } from '../support/installation.ts';
import { type SharedEnvironment, shareEnvironment, startAlone, startGateway } from '../support/many.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { nginxIsInstalled, startBalancingNginx } from '../support/nginx.ts';
import type { RunningProgram } from '../support/process.ts';
import { ResumingClient } from '../support/resuming.ts';
import { callableAt } from '../support/standalone.ts';

/** One of the processes of an installation, which is replaced in its place. */
interface Member {
  readonly port: number;
  program: RunningProgram;
}

const kinds = ['api', 'projector', 'gateway', 'auditor'] as const;
type Kind = (typeof kinds)[number];

describe.skipIf(!natsServerIsInstalled || !nginxIsInstalled)(
  'two processes of each kind behind nginx, as docs/operations.md configures it (needs nats-server, nginx)',
  { timeout: 180_000 },
  () => {
    let nats: NatsServer;
    beforeAll(async () => {
      nats = await natsServer();
      await nats.start();
    });
    afterAll(() => nats.kill());

    test('are restarted one after the other under load: no request fails, no push is lost and none comes twice', async () => {
      const shared = { ...(await shareEnvironment(nats)), ...(await settingsOfAll()) };
      const members = await Promise.all(kinds.map(async (kind) => [kind, await two(kind, shared)] as const));
      const portsOf = (wanted: Kind) =>
        members.flatMap(([kind, both]) => (kind === wanted ? both.map(({ port }) => port) : []));
      const nginx = await startBalancingNginx(
        { api: portsOf('api'), gateway: portsOf('gateway') },
        onTestFinished,
      );
      const api = callableAt(`http://127.0.0.1:${nginx.port}`, shared.APP_KEY, shared.APP_SECRET);
      await vi.waitUntil(async () => (await fetch(`${api.url}/ready`)).ok, patiently);
      const pairs = await Promise.all([befriended(api), befriended(api)]);
      const conversations = await Promise.all(
        pairs.map(async ([tom, jerry], index) => {
          const client = new ResumingClient(nginx.port, jerry, onTestFinished);
          await client.listening();
          const named = (name: string) => new Sending(api, tom, jerry, `${index} ${name}`, insist);
          return { client, sendings: ['one', 'other'].map(named) };
        }),
      );
      const sendings = conversations.flatMap((conversation) => conversation.sendings);
      const more = (count: number) => Promise.all(sendings.map((sending) => sending.more(count)));
      await more(5);
      for (const place of [0, 1] as const) {
        await Promise.all(members.map(([kind, both]) => replace(kind, both[place], shared)));
        await more(5);
      }
      for (const sending of sendings) await sending.stop();
      for (const { client, sendings: own } of conversations) {
        const acknowledged = own.flatMap((sending) => sending.acknowledged);
        await vi.waitUntil(() => client.messages().length >= acknowledged.length, patiently);
        await client.caughtUp();
        const received = client.messages();
        for (const { name, acknowledged: sent } of own) {
          const contents = received.map(({ content }) => content);
          expect(contents.filter((content) => content.startsWith(`${name} `))).toEqual(sent);
        }
        expect(received).toHaveLength(acknowledged.length);
        expect(areInOrder(received)).toBe(true);
        expect(client.lostTrack).toBe(false);
        // Each gateway that it was at was restarted, and let nobody in again meanwhile.
        expect([[4200], [4200, 4200]]).toContainEqual(client.codes);
      }
      await expect.poll(() => indexed(shared), patiently).toEqual({ gaps: '0', missing: '0' });
    });
  },
);

/** What all processes get besides the servers. */
async function settingsOfAll(): Promise<Record<string, string>> {
  return {
    ...{ DATA_DIR: await temporaryFolder(), TRUST_PROXY: '127.0.0.1', DRAIN_SECONDS: '1' },
    AUDIT_KEY: Buffer.alloc(32, 7).toString('base64'),
  };
}

async function two(kind: Kind, shared: SharedEnvironment): Promise<[Member, Member]> {
  const start = async (): Promise<Member> => {
    const port = await freePort();
    return { port, program: await startMember(kind, port, shared) };
  };
  return Promise.all([start(), start()]);
}

async function startMember(kind: Kind, port: number, shared: SharedEnvironment): Promise<RunningProgram> {
  const environment = { ...shared, PORT: String(port) };
  const started = kind === 'gateway' ? startGateway(environment) : startAlone(kind, environment);
  return (await started).program;
}

/** Has a process end as systemd does, and starts another one in its place. */
async function replace(kind: Kind, member: Member, shared: SharedEnvironment): Promise<void> {
  member.program.signal('SIGTERM');
  expect(await member.program.ended).toBe(0);
  member.program = await startMember(kind, member.port, shared);
  const ready = async () => (await fetch(`http://127.0.0.1:${member.port}/ready`)).ok;
  await vi.waitUntil(ready, patiently);
}

/** What the index of the log lacks: numbers within it, and events of the log. */
async function indexed({ DATABASE_URL }: SharedEnvironment): Promise<unknown> {
  const { rows } = await query(
    DATABASE_URL,
    `select (select coalesce(max(number) + 1, 0) - count(*) from audit.events) as gaps,
            (select count(*) from log.events where id not in (select id from audit.events)) as missing`,
  );
  return rows[0];
}
