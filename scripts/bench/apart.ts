import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Bench } from './main.ts';
import { connectPairs, type Pair, pairsHeader, reportPairs, runPairs } from './pairs.ts';
import { callAsServer, makePeople, type Person } from './people.ts';
import { startProgram } from './program.ts';
import { type Several, startSeveral } from './several.ts';

export const bench: Bench = {
  summary:
    'two APIs, gateways and projectors beside one process; how long pushes pause if a projector is killed',
  options: (command: Command) =>
    command
      .option('--pairs <n>', 'pairs that chat', Number, 50)
      .option('--seconds <n>', 'how long each figure is measured', Number, 10)
      .option('--kills <n>', 'how often the working projector is killed', Number, 5)
      .option('--port <n>', 'where bubble-im listens meanwhile, and NATS at the next one', Number, 8792),
  run: async ({ pairs, seconds, kills, port }) =>
    measure(Number(pairs), Number(seconds), Number(kills), Number(port)),
};

/** Until the code that runs is compiled. */
const warmMs = 5_000;

async function measure(count: number, seconds: number, kills: number, port: number): Promise<void> {
  console.log(pairsHeader);
  const program = await startProgram(port);
  try {
    const people = await makePeople(program, count * 2);
    const pairs = await connectPairs(program, people, befriending(program));
    await runPairs(pairs, warmMs);
    await reportPairs(pairs, seconds, '   one process');
    for (const pair of pairs) pair.close();
  } finally {
    await program.stop();
  }
  const several = await startSeveral(port + 1);
  try {
    const pairs = await connectSeveral(several, count);
    await runPairs(pairs, warmMs);
    await reportPairs(pairs, seconds, '   two APIs, two gateways, two projectors, NATS');
    const pauses = await killProjectors(several, pairs, kills);
    console.log(`a projector killed ${kills} times: pushes went on after ${pauses.join(', ')} ms`);
    for (const pair of pairs) pair.close();
  } finally {
    await several.stop();
  }
}

interface Called {
  readonly port: number;
  readonly key: string;
  readonly secret: string;
}

function befriending(program: Called) {
  return async (from: Person, to: Person) => {
    await callAsServer(program, '/friend/add', { login_uid: from.uid, friend_uid: to.uid });
  };
}

/** Half of the pairs at each API and each gateway. */
async function connectSeveral(several: Several, count: number): Promise<Pair[]> {
  const { apiPorts, gatewayPorts, key, secret } = several;
  const program = { port: apiPorts[0] ?? 0, key, secret };
  const people = await makePeople(program, count * 2);
  return connectPairs(
    (pair) => ({ key, port: apiPorts[pair % 2] ?? 0, socketPort: gatewayPorts[pair % 2] ?? 0 }),
    people,
    befriending(program),
  );
}

/**
 * Kills the working projector again and again while pairs chat, each time with a standby beside it.
 * @returns for each time, after how many milliseconds a message that was sent afterwards was pushed
 * @throws Error if a push comes twice or in another order; a lost one would keep its pair waiting
 */
async function killProjectors(several: Several, pairs: readonly Pair[], kills: number): Promise<number[]> {
  const pauses: number[] = [];
  let ended = false;
  let onExchange: (began: number) => void = () => undefined;
  const chatting = Promise.all(
    pairs.map(async (pair) => {
      while (!ended) {
        const began = performance.now();
        await pair.exchange();
        onExchange(began);
      }
    }),
  );
  for (let kill = 0; kill < kills; kill++) {
    await Promise.race([chatting, delay(1_000)]);
    await several.killProjector();
    const killed = performance.now();
    const pushed = new Promise<void>((resolve) => {
      onExchange = (began) => {
        if (began > killed) resolve();
      };
    });
    await Promise.race([chatting, pushed]);
    pauses.push(Math.round(performance.now() - killed));
    await several.startProjector();
  }
  ended = true;
  await chatting;
  return pauses;
}
