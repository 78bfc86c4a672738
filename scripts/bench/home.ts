import { Agent, get } from 'node:http';
import { loadavg } from 'node:os';
import type { Command } from 'commander';
import { z } from 'zod';
import { fillProgram } from './fill-program.ts';
import { forkServer } from './fork-server.ts';
import { closeFriend, person } from './home-filling.ts';
import type { Bench } from './main.ts';
import { type RunningProgram, startProgram } from './program.ts';

export const bench: Bench = {
  summary: 'what one person with many friends, groups and messages waits for: pop/get, pages of history',
  options: (command: Command) =>
    command
      .option('--friends <n>', 'how many friends the person has', Number, 500)
      .option('--groups <n>', 'how many groups the person is in', Number, 200)
      .option('--messages <n>', 'messages of the one long conversation', Number, 1_000_000)
      .option('--each <n>', 'messages of every other conversation', Number, 50)
      .option('--requests <n>', 'how many requests a figure is made of', Number, 1000)
      .option('--port <n>', 'where bubble-im listens meanwhile', Number, 8799),
  run: async (options) => measure(Options.parse(options)),
};

const count = z.int().positive();
const Options = z.object({
  friends: count,
  groups: count,
  messages: count,
  each: count,
  requests: count,
  port: count,
});

const conversation = { login_uid: person, id: closeFriend, type: 'friend' } as const;

async function measure({ requests, port, ...household }: z.infer<typeof Options>): Promise<void> {
  const program = await startProgram(port);
  const bare = await startBare();
  try {
    await fillProgram(program, household);
    // The next start raises what ids are taken from above those that were written.
    await program.crash();
    const agent = new Agent({ keepAlive: true });
    const row = async (name: string, path: string, parameters: Parameters, times: number, atOnce = 1) => {
      const target = `/api${path}?${asQuery(parameters)}`;
      const measured = async (server: Server) => {
        const [first = Number.NaN] = await ask(server, agent, target, 1, 1);
        await ask(server, agent, target, times / 10, atOnce);
        return { first, latencies: await ask(server, agent, target, times, atOnce) };
      };
      const real = await measured(program);
      await bare.serve(await fetchOnce(program, agent, target));
      report(name, real, await measured(bare));
    };
    console.log(`${'milliseconds'.padEnd(38)}   first     p50     p99     max   bare p50     p99    load`);
    const home = { login_uid: person };
    await row('message/unreadcount, a long backlog', '/message/unreadcount', conversation, requests);
    await row('pop/get, a long backlog', '/pop/get', home, requests);
    await row('pop/get, 4 at once', '/pop/get', home, requests, 4);
    await row('message/get, first page', '/message/get', conversation, requests);
    const { messages } = household;
    const middle = { ...conversation, mid: Math.ceil(messages / 2) };
    await row('message/get, in the middle', '/message/get', middle, requests);
    const early = { ...conversation, mid: Math.min(messages, 50) };
    await row('message/get, near the beginning', '/message/get', early, requests);
    await row('pop/get, all of it read', '/pop/get', home, requests);
    agent.destroy();
  } finally {
    bare.stop();
    await program.stop();
  }
}

type Parameters = Readonly<Record<string, string | number>>;
type Server = Pick<RunningProgram, 'port' | 'key' | 'secret'>;

const asQuery = (parameters: Parameters) =>
  new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, `${value}`]));

/** A server that looks nothing up, in a process of its own. */
interface BareServer extends Server {
  /** From now on it answers with this body. */
  serve(body: string): Promise<void>;
  stop(): void;
}

async function startBare(): Promise<BareServer> {
  const { child, port } = await forkServer('bare-answer.ts');
  return {
    ...{ port, key: 'none', secret: 'none' },
    async serve(body) {
      await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body })).text();
    },
    stop: () => void child.kill(),
  };
}

/** Asks so often, `atOnce` at a time: how long each answer took, in milliseconds. */
async function ask(
  server: Server,
  agent: Agent,
  target: string,
  times: number,
  atOnce: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let asked = 0;
  const client = async () => {
    while (asked++ < times) {
      const began = performance.now();
      const body = await fetchOnce(server, agent, target);
      latencies.push(performance.now() - began);
      if (!body.startsWith('{"code":0,')) throw new Error(`${target}: ${body.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return latencies;
}

/** One request by the server's key, which no limit holds up. `fetch` would cost more than what is measured. */
function fetchOnce({ port, key, secret }: Server, agent: Agent, path: string): Promise<string> {
  const headers = { 'x-app-key': key, 'x-app-secret': secret };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ host: '127.0.0.1', port, agent, path, headers }, (answer) => {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => resolve(Buffer.concat(parts).toString()));
    answer.on('error', reject);
  }).on('error', reject);
  return promise;
}

interface Measured {
  readonly first: number;
  readonly latencies: readonly number[];
}

/** The first request after the start is reported separately; the figures are those of a program that is warm. */
function report(name: string, real: Measured, bare: Measured): void {
  const at = ({ latencies }: Measured, share: number) => {
    const sorted = latencies.toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  };
  const cell = (figure = Number.NaN, width = 8) => figure.toFixed(1).padStart(width);
  const figures = [real.first, at(real, 0.5), at(real, 0.99), at(real, 1)].map((figure) => cell(figure));
  const limit = cell(at(bare, 0.5), 11) + cell(at(bare, 0.99));
  console.log(name.padEnd(38) + figures.join('') + limit + cell(loadavg()[0]));
}
