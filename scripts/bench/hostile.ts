import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { fillProgram } from './fill-program.ts';
import { closeFriend } from './home-filling.ts';
import type { Target } from './hostile-attack.ts';
import { attacks } from './hostile-attacks.ts';
import { type Bystanders, bystand, type Waits } from './hostile-bystanders.ts';
import type { Bench } from './main.ts';
import { callAsServer, makePeople } from './people.ts';
import { type RunningProgram, startProgram } from './program.ts';

/** How slow an attack may make a bystander, as a multiple of the calm p99. */
const maxRatio = 10;

/** How long an attack goes on before it is measured, in milliseconds. */
const warmUpMs = 2_000;

/** What the attacker with much has: friends, groups of 30, and a chat with a fifth of the friends. */
const household = { friends: 1_000, groups: 0, messages: 0, each: 0 };
const groups = 200;
const chatsEach = 5;

const Group = z.object({ gid: z.string() });

export const bench: Bench = {
  summary: 'what bystanders wait while one caller attacks, against what they wait when it is calm',
  options: (command) =>
    command
      .option('--seconds <n>', 'how long each attack is measured', Number, 5)
      .option('--only <text>', 'only the attacks whose name holds this text', '')
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8799),
  run: ({ seconds, only, port }) => measure(Number(seconds) * 1000, String(only), Number(port)),
};

async function measure(ms: number, only: string, port: number): Promise<void> {
  // What is refused is logged as a warning, thousands of times here.
  const program = await startProgram(port, 'error');
  try {
    const { target, bystanders } = await prepare(program);
    const look = (time: number) => bystand(program, bystanders, time);
    await look(ms);
    console.log(
      `\nsend: a message; remove: the owner removes a member; disable: the server's key disables an account`,
    );
    console.log('   send p99 ms      × calm     remove    disable   removals        MB');
    console.log(' calm   attack       send     × calm     × calm   measured   before    after   attack');
    for (const name of Object.keys(attacks).filter((attack) => attack.includes(only))) {
      // Beside the attack, as the machine may be busier with others in one minute than in the next.
      const calm = await look(ms);
      const before = await memoryOf(program);
      const attacker = startAttack(name, target);
      await delay(warmUpMs);
      const attacked = await look(ms);
      const after = await memoryOf(program);
      attacker.kill('SIGKILL');
      report(name, calm, attacked, [before, after]);
      await calmDown(() => look(500), calm);
    }
  } finally {
    await program.stop();
  }
}

/**
 * Starts an attack. The attacker's machine is another one as a rule, whose work takes nothing from the program: here all
 * threads of its process have the lowest priority.
 */
function startAttack(name: string, target: Target): ChildProcess {
  const attacker = fork(join(import.meta.dirname, 'hostile-process.ts'));
  // Before it has threads: on Linux a priority is a thread's, and is inherited.
  if (attacker.pid !== undefined) setPriority(attacker.pid, constants.priority.PRIORITY_LOW);
  // An attack that ends by itself is none.
  attacker.on('exit', (code) => {
    if (code !== null) console.error(`${name}: the attacker ended with ${code}`);
  });
  attacker.send({ name, target });
  return attacker;
}

/** Fills an empty program with an attacker who has much, and makes the people of the test. */
async function prepare(program: RunningProgram): Promise<{ target: Target; bystanders: Bystanders }> {
  await fillProgram(program, household);
  // The next start raises what ids are taken from above those that were written.
  await program.crash();
  const [rich, sender, receiver, removed, disabled, ...people] = await makePeople(program, 13);
  const [owner, member] = people;
  if (!rich || !sender || !receiver || !removed || !disabled || !owner || !member)
    throw new TypeError('people are missing');
  const { gid } = Group.parse(
    await callAsServer(program, '/group/create', { login_uid: owner.uid, members: [member.uid] }),
  );
  const unlimited = { limit_group_creations: 1_000_000_000, limit_member_additions: 1_000_000_000 };
  await callAsServer(program, '/setting/update', unlimited);
  const { port, key } = program;
  const richGid = await enrich(program, rich.uid);
  return {
    target: { port, key, people, gid, rich, richGid },
    bystanders: { sender, receiver, owner, removed, disabled, gid },
  };
}

/** Gives a person friends, groups and chats. @returns one of the groups */
async function enrich(program: RunningProgram, uid: number): Promise<string> {
  const friends = Array.from({ length: household.friends }, (_, index) => closeFriend + index);
  await eachOf(friends, async (friend, index) => {
    await callAsServer(program, '/friend/add', { login_uid: uid, friend_uid: friend });
    if (index % chatsEach > 0) return;
    const message = { login_uid: friend, type: 'friend', to: uid, content: 'hello, as long as people write' };
    await callAsServer(program, '/message/send', message);
  });
  const created = await eachOf(
    Array.from({ length: groups }, (_, index) => index * 4),
    async (first) => {
      const chosen = friends.slice(first, first + 29);
      return callAsServer(program, '/group/create', { login_uid: uid, members: chosen });
    },
  );
  return Group.parse(created[0]).gid;
}

/** Does something for each, eight at a time. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const row = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await act(item, index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, row));
  return results;
}

function report(name: string, calm: Waits, attacked: Waits, memory: readonly string[]): void {
  const ratios = [attacked.send / calm.send, attacked.remove / calm.remove, attacked.disable / calm.disable];
  const figures = [
    calm.send.toFixed(1).padStart(5),
    attacked.send.toFixed(1).padStart(9),
    ...ratios.map((ratio) => ratio.toFixed(1).padStart(11)),
    `${attacked.removals}`.padStart(11),
    ...memory.map((megabytes) => megabytes.padStart(9)),
  ];
  const remark = Math.max(...ratios) > maxRatio ? `   more than ${maxRatio}` : '';
  console.log(`${figures.join('')}   ${name}${remark}`);
}

/** Waits, for up to 20 s, until what an attack has left is done, so that the next is measured alone. */
async function calmDown(look: () => Promise<Waits>, calm: Waits): Promise<void> {
  const until = performance.now() + 20_000;
  while ((await look()).send > 2 * calm.send && performance.now() < until);
}

/** The resident memory of the program, in megabytes; Linux only. */
async function memoryOf({ pid }: RunningProgram): Promise<string> {
  const status = await readFile(`/proc/${pid()}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
  return kilobytes === undefined ? '?' : (Number(kilobytes) / 1024).toFixed(0);
}
