import { setTimeout as delay } from 'node:timers/promises';
import { quantiles } from './comparing.ts';
import { HttpConnection } from './http-connection.ts';
import type { Person } from './people.ts';
import type { RunningProgram } from './program.ts';

/** Ordinary users during an attack. */
export interface Bystanders {
  readonly sender: Person;
  readonly receiver: Person;
  /** Owns the group that is attacked. */
  readonly owner: Person;
  /** Is put out of that group again and again. */
  readonly removed: Person;
  /** Is disabled and enabled again and again. */
  readonly disabled: Person;
  readonly gid: string;
}

/** The p99 of their latencies, in milliseconds. */
export interface Waits {
  /** A message to a person. */
  readonly send: number;
  /** The owner removes a member. */
  readonly remove: number;
  /** The server's key disables an account. */
  readonly disable: number;
  /** How many calls the second is of: of fewer than 100 it is the slowest. */
  readonly removals: number;
}

/** How long the two that are rarer rest between two calls, in milliseconds. */
const restMs = 5;

/** Runs all of them for this time. Throws if one of them is refused. */
export async function bystand(program: RunningProgram, people: Bystanders, ms: number): Promise<Waits> {
  const server = `X-App-Key: ${program.key}\r\nX-App-Secret: ${program.secret}\r\n`;
  const as = ({ token }: Person) => `Authorization: Bearer ${token}\r\n`;
  const { sender, receiver, owner, removed, disabled, gid } = people;
  const until = performance.now() + ms;
  const [send, remove, disable] = await Promise.all([
    repeat(program, until, async (call) => ({
      ms: await call('/message/send', as(sender), { type: 'friend', to: receiver.uid, content: 'hello' }),
      restMs: 0,
    })),
    repeat(program, until, async (call) => {
      const member = { gid, members: [removed.uid] };
      await call('/group/memberadd', server, { login_uid: owner.uid, ...member });
      return { ms: await call('/group/memberdel', as(owner), member), restMs };
    }),
    repeat(program, until, async (call) => {
      const account = { login_uid: disabled.uid };
      const took = await call('/user/update', server, { ...account, account_state: 'disabled' });
      await call('/user/update', server, { ...account, account_state: 'normal' });
      return { ms: took, restMs };
    }),
  ]);
  return { send: send.p99, remove: remove.p99, disable: disable.p99, removals: remove.calls };
}

type Call = (path: string, headers: string, parameters: object) => Promise<number>;

/** Repeats something on a connection of its own. @returns the p99 of its latency, in milliseconds, and of how many calls */
async function repeat(
  { port }: RunningProgram,
  until: number,
  act: (call: Call) => Promise<{ ms: number; restMs: number }>,
): Promise<{ p99: number; calls: number }> {
  const connection = await HttpConnection.open(port);
  const call: Call = async (path, headers, parameters) => {
    const began = performance.now();
    const answer = await connection.post(`/api${path}`, headers, JSON.stringify(parameters));
    if (!answer.includes('"code":0')) throw new Error(`a bystander’s ${path} was refused: ${answer}`);
    return performance.now() - began;
  };
  const latencies: number[] = [];
  try {
    do {
      const { ms, restMs: rest } = await act(call);
      latencies.push(ms);
      if (rest > 0) await delay(rest);
    } while (performance.now() < until);
  } finally {
    connection.close();
  }
  return { p99: quantiles(latencies).p99, calls: latencies.length };
}
