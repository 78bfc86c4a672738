import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { quantiles } from './comparing.ts';
import { attacks, type Target } from './hostile-attacks.ts';
import { HttpConnection } from './http-connection.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

/** How slow an attack may make a bystander, as a multiple of the calm p99. */
const maxRatio = 10;

/** How long an attack goes on before it is measured, in milliseconds. */
const warmUpMs = 1_000;

export const bench: Bench = {
  summary: 'what a bystander’s message takes while one caller attacks, against what it takes when it is calm',
  options: (command) =>
    command
      .option('--seconds <n>', 'how long each attack is measured', Number, 5)
      .option('--only <text>', 'only the attacks whose name holds this text', '')
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8799),
  run: ({ seconds, only, port }) => measure(Number(seconds), String(only), Number(port)),
};

async function measure(seconds: number, only: string, port: number): Promise<void> {
  // What is refused is logged as a warning, thousands of times here.
  const program = await startProgram(port, 'error');
  try {
    const [sender, receiver, ...people] = await makePeople(program, 10);
    const [owner, member] = people;
    if (!sender || !receiver || !owner || !member) throw new TypeError('people are missing');
    const { gid } = z
      .object({ gid: z.string() })
      .parse(await callAsServer(program, '/group/create', { login_uid: owner.uid, members: [member.uid] }));
    const target: Target = { port, key: program.key, people, gid };
    await bystand(program, sender, receiver, seconds * 1000);
    const calm = await bystand(program, sender, receiver, seconds * 1000);
    console.log(`calm: p99 ${calm.toFixed(1)} ms, ${await memoryOf(program)} MB\n`);
    console.log('p99 ms    ratio   MB before   MB after   attack');
    for (const name of Object.keys(attacks).filter((attack) => attack.includes(only))) {
      const before = await memoryOf(program);
      const thread = new Worker(new URL('./hostile-thread.ts', import.meta.url), {
        workerData: { name, target },
      });
      // An attack that fails by itself is none.
      thread.on('error', (error) => console.error(`${name}: ${error}`));
      await delay(warmUpMs);
      const p99 = await bystand(program, sender, receiver, seconds * 1000);
      const after = await memoryOf(program);
      await thread.terminate();
      await calmDown(() => bystand(program, sender, receiver, 500), calm);
      const ratio = p99 / calm;
      const remark = ratio > maxRatio ? `   more than ${maxRatio}` : '';
      const figures = [
        p99.toFixed(1).padStart(6),
        ratio.toFixed(1).padStart(9),
        before.padStart(12),
        after.padStart(11),
      ];
      console.log(`${figures.join('')}   ${name}${remark}`);
    }
  } finally {
    await program.stop();
  }
}

/** Sends one message after the other. @returns the p99 of what one takes, in milliseconds */
async function bystand(
  { port }: RunningProgram,
  { token }: Person,
  { uid }: Person,
  ms: number,
): Promise<number> {
  const connection = await HttpConnection.open(port);
  const latencies: number[] = [];
  const until = performance.now() + ms;
  try {
    do {
      const began = performance.now();
      const body = JSON.stringify({ type: 'friend', to: uid, content: 'hello' });
      const answer = await connection.post('/api/message/send', `Authorization: Bearer ${token}\r\n`, body);
      if (!answer.includes('"code":0')) throw new Error(`a bystander’s message was refused: ${answer}`);
      latencies.push(performance.now() - began);
    } while (performance.now() < until);
  } finally {
    connection.close();
  }
  return quantiles(latencies).p99;
}

/** Waits, for up to 20 s, until what an attack has left is done, so that the next is measured alone. */
async function calmDown(look: () => Promise<number>, calm: number): Promise<void> {
  const until = performance.now() + 20_000;
  while ((await look()) > 2 * calm && performance.now() < until);
}

/** The resident memory of the program, in megabytes; Linux only. */
async function memoryOf({ pid }: RunningProgram): Promise<string> {
  const status = await readFile(`/proc/${pid()}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
  return kilobytes === undefined ? '?' : (Number(kilobytes) / 1024).toFixed(0);
}
