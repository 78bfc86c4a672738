import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { HttpConnection } from './http-connection.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'kills the program again and again under load, then counts what it had acknowledged',
  options: (command: Command) =>
    command
      .option('--kills <n>', 'how often', Number, 20)
      .option('--pairs <n>', 'how many send meanwhile', Number, 50)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8798),
  run: async ({ kills, pairs, port }) => measure(Number(kills), Number(pairs), Number(port)),
};

/** A sender with what was acknowledged to it: the mid of each of its own ids. */
interface Sender {
  readonly from: Person;
  readonly to: Person;
  readonly acknowledged: Map<string, number>;
}

async function measure(kills: number, pairs: number, port: number): Promise<void> {
  const program = await startProgram(port);
  try {
    const people = await makePeople(program, pairs * 2);
    const senders: Sender[] = [];
    for (let index = 0; index < people.length; index += 2) {
      const [from, to] = [people[index], people[index + 1]];
      if (!from || !to) continue;
      await callAsServer(program, '/friend/add', { login_uid: from.uid, friend_uid: to.uid });
      senders.push({ from, to, acknowledged: new Map() });
    }
    const ended = new AbortController();
    const sending = Promise.all(senders.map((sender) => sendOn(program, sender, ended.signal)));
    let longest = 0;
    for (let kill = 0; kill < kills; kill++) {
      await delay(500 + Math.random() * 1500);
      const began = performance.now();
      await program.crash();
      longest = Math.max(longest, performance.now() - began);
    }
    await delay(1000);
    ended.abort();
    await sending;
    const faults = { lost: 0, doubled: 0, otherMid: 0 };
    let acknowledged = 0;
    for (const sender of senders) {
      acknowledged += sender.acknowledged.size;
      await examine(program, sender, faults);
    }
    console.log(
      `${kills} kills under ${pairs} senders, at most ${Math.round(longest)} ms until it answered again`,
    );
    console.log(`${acknowledged} messages acknowledged`);
    console.log(
      `${faults.lost} lost, ${faults.doubled} stored twice, ${faults.otherMid} given another mid when sent again`,
    );
    if (faults.lost + faults.doubled + faults.otherMid > 0) process.exitCode = 1;
  } finally {
    await program.stop();
  }
}

/** Sends one message after the other, each until it is acknowledged. */
async function sendOn(
  program: RunningProgram,
  { from, to, acknowledged }: Sender,
  signal: AbortSignal,
): Promise<void> {
  let connection: HttpConnection | undefined;
  for (let count = 0; !signal.aborted; count++) {
    const uniqueId = `m${count}`;
    while (!acknowledged.has(uniqueId)) {
      try {
        connection ??= await HttpConnection.open(program.port);
        const mid = midOf(await connection.post('/api/message/send', bearer(from), message(to, uniqueId)));
        if (mid !== undefined) acknowledged.set(uniqueId, mid);
        else await delay(20);
      } catch {
        connection?.close();
        connection = undefined;
        await delay(20);
      }
    }
  }
  connection?.close();
}

const bearer = ({ token }: Person) => `Authorization: Bearer ${token}\r\n`;

const message = (to: Person, uniqueId: string) =>
  JSON.stringify({ to: to.uid, type: 'friend', content: `the message ${uniqueId}`, uniqueId });

/** The mid of a message that was taken; undefined where the program is not ready yet. */
function midOf(answer: string): number | undefined {
  const { code, msg, data }: { code: number; msg: string; data?: { mid: number } } = JSON.parse(answer);
  if (code === 0 && data) return data.mid;
  if (code === 503) return undefined;
  throw new Error(`${code} ${msg}`);
}

/** Counts what of the acknowledged is missing, doubled, or gets another mid when it is sent again. */
async function examine(
  program: RunningProgram,
  sender: Sender,
  faults: { lost: number; doubled: number; otherMid: number },
): Promise<void> {
  const stored = await history(program, sender);
  const connection = await HttpConnection.open(program.port);
  for (const [uniqueId, mid] of sender.acknowledged) {
    const times = stored.filter(({ content }) => content === `the message ${uniqueId}`);
    if (!times.some((one) => one.mid === mid)) faults.lost++;
    if (times.length > 1) faults.doubled++;
    const again = await connection.post(
      '/api/message/send',
      bearer(sender.from),
      message(sender.to, uniqueId),
    );
    if (midOf(again) !== mid) faults.otherMid++;
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
