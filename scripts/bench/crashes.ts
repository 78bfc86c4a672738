import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { HttpConnection } from './http-connection.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';
import { ResumingListener } from './resuming-listener.ts';

const runCommand = promisify(execFile);

export const bench: Bench = {
  summary: 'breaks something again and again under load, then counts what was acknowledged and received',
  options: (command: Command) =>
    command
      .option('--kills <n>', 'how often', Number, 20)
      .option(
        '--by <command>',
        'what breaks it, for a shell; by default kill -9 of the program, and its start',
      )
      .option('--pairs <n>', 'how many send meanwhile', Number, 50)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8798),
  run: async ({ kills, pairs, port, by }) =>
    measure(Number(kills), Number(pairs), Number(port), typeof by === 'string' ? by : undefined),
};

/** A sender with what was acknowledged to it: the mid of each of its own ids. */
interface Sender {
  readonly from: Person;
  readonly to: Person;
  readonly acknowledged: Map<string, number>;
  readonly listener: ResumingListener;
}

/** The number of each answer that is neither "accepted" nor "repeat it later". */
type Refusals = Map<string, number>;

async function measure(kills: number, pairs: number, port: number, by: string | undefined): Promise<void> {
  const program = await startProgram(port);
  try {
    const people = await makePeople(program, pairs * 2);
    const senders: Sender[] = [];
    for (let index = 0; index < people.length; index += 2) {
      const [from, to] = [people[index], people[index + 1]];
      if (!from || !to) continue;
      await callAsServer(program, '/friend/add', { login_uid: from.uid, friend_uid: to.uid });
      senders.push({ from, to, acknowledged: new Map(), listener: new ResumingListener(program, to) });
    }
    await Promise.all(senders.map(({ listener }) => listener.subscribed));
    const ended = new AbortController();
    const refusals: Refusals = new Map();
    const sending = Promise.all(senders.map((sender) => sendOn(program, sender, refusals, ended.signal)));
    await Promise.all(senders.map(({ listener }) => listener.received));
    let longest = 0;
    for (let kill = 0; kill < kills; kill++) {
      await delay(500 + Math.random() * 1500);
      const began = performance.now();
      if (by === undefined) await program.crash();
      else await runCommand('sh', ['-c', by]);
      longest = Math.max(longest, performance.now() - began);
    }
    ended.abort();
    await sending;
    await everythingHeard(senders);
    const faults = { lost: 0, doubled: 0, otherMid: 0, notReceived: 0, receivedTwice: 0 };
    let acknowledged = 0;
    for (const sender of senders) {
      acknowledged += sender.acknowledged.size;
      await examine(program, sender, faults);
    }
    console.log(`broken ${kills} times under ${pairs} senders, at most ${Math.round(longest)} ms each`);
    console.log(`${acknowledged} messages acknowledged`);
    const { lost, doubled, otherMid, notReceived, receivedTwice } = faults;
    console.log(`${lost} lost, ${doubled} stored twice, ${otherMid} given another mid when sent again`);
    const resets = senders.reduce((sum, { listener }) => sum + listener.resets, 0);
    console.log(`${notReceived} pushes not received, ${receivedTwice} received twice, ${resets} resets`);
    for (const [refusal, times] of refusals) console.log(`answered ${refusal}: ${times} times`);
    if (lost + doubled + otherMid + notReceived + receivedTwice + refusals.size > 0) process.exitCode = 1;
    for (const { listener } of senders) listener.close();
  } finally {
    await program.stop();
  }
}

/** Waits until the listeners have received all that was acknowledged, or receive nothing more. */
async function everythingHeard(senders: readonly Sender[]): Promise<void> {
  const missing = () =>
    senders.reduce(
      (sum, { acknowledged, listener }) =>
        sum + [...acknowledged.values()].filter((mid) => !listener.timesReceived.has(mid)).length,
      0,
    );
  for (let before = -1; missing() !== before && missing() > 0; ) {
    before = missing();
    await delay(5000);
  }
}

/**
 * Sends one message after the other, each until it is acknowledged. A broken connection and 503 mean
 * "repeat it"; every other refusal is counted, and fails the benchmark.
 */
async function sendOn(
  program: RunningProgram,
  { from, to, acknowledged }: Sender,
  refusals: Refusals,
  signal: AbortSignal,
): Promise<void> {
  let connection: HttpConnection | undefined;
  for (let count = 0; !signal.aborted; count++) {
    const uniqueId = `m${count}`;
    while (!acknowledged.has(uniqueId)) {
      let answer: string;
      try {
        connection ??= await HttpConnection.open(program.port);
        answer = await connection.post('/api/message/send', bearer(from), message(to, uniqueId));
      } catch {
        connection?.close();
        connection = undefined;
        await delay(20);
        continue;
      }
      const taken = takenOf(answer);
      if (typeof taken === 'number') {
        acknowledged.set(uniqueId, taken);
        continue;
      }
      if (taken !== 'not ready') refusals.set(taken, (refusals.get(taken) ?? 0) + 1);
      await delay(20);
    }
  }
  connection?.close();
}

const bearer = ({ token }: Person) => `Authorization: Bearer ${token}\r\n`;

const message = (to: Person, uniqueId: string) =>
  JSON.stringify({ to: to.uid, type: 'friend', content: `the message ${uniqueId}`, uniqueId });

/** The mid of a message that was accepted, `not ready` for 503, and what was answered instead. */
function takenOf(answer: string): number | string {
  const { code, msg, data }: { code: number; msg: string; data?: { mid: number } } = JSON.parse(answer);
  if (code === 0 && data) return data.mid;
  return code === 503 ? 'not ready' : `${code} ${msg}`;
}

/** Counts what of the acknowledged is missing, doubled, or gets another mid when it is sent again. */
async function examine(
  program: RunningProgram,
  sender: Sender,
  faults: Record<'lost' | 'doubled' | 'otherMid' | 'notReceived' | 'receivedTwice', number>,
): Promise<void> {
  const stored = await history(program, sender);
  const connection = await HttpConnection.open(program.port);
  for (const [uniqueId, mid] of sender.acknowledged) {
    const times = stored.filter(({ content }) => content === `the message ${uniqueId}`);
    if (!times.some((one) => one.mid === mid)) faults.lost++;
    if (times.length > 1) faults.doubled++;
    const received = sender.listener.timesReceived.get(mid) ?? 0;
    if (received === 0) faults.notReceived++;
    if (received > 1) faults.receivedTwice++;
    const again = await connection.post(
      '/api/message/send',
      bearer(sender.from),
      message(sender.to, uniqueId),
    );
    if (takenOf(again) !== mid) faults.otherMid++;
  }
  connection.close();
}

interface StoredMessage {
  readonly mid: number;
  readonly content: string;
}

async function history(program: RunningProgram, { from, to }: Sender): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (let before: number | undefined; ; before = all.at(-1)?.mid) {
    const query = `id=${to.uid}&type=friend&limit=100${before === undefined ? '' : `&mid=${before}`}`;
    const answer = await fetch(`http://127.0.0.1:${program.port}/api/message/get?${query}`, {
      headers: { authorization: `Bearer ${from.token}` },
    });
    const { data }: { data: StoredMessage[] } = JSON.parse(await answer.text());
    if (data.length === 0) return all;
    all.push(...data.toReversed());
  }
}
