import type { PersonOfHistory, Twins } from './history-people.ts';
import { HttpConnection } from './http-connection.ts';

/** A call that a person makes. */
export interface HistoryCall {
  readonly name: string;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  parametersOf(person: PersonOfHistory): Readonly<Record<string, string | number>>;
}

const get = (
  path: string,
  name: string,
  parametersOf: (person: PersonOfHistory) => Readonly<Record<string, string | number>>,
): HistoryCall => ({ name, path, method: 'GET', parametersOf });

export const historyCalls: readonly HistoryCall[] = [
  get('/pop/get', 'pop/get', () => ({})),
  get('/message/get', 'message/get, a friend', ({ friend }) => ({ id: friend, type: 'friend' })),
  get('/message/get', 'message/get, a group', ({ gid }) => ({ id: gid, type: 'group' })),
  get('/message/unreadcount', 'message/unreadcount', ({ gid }) => ({ id: gid, type: 'group' })),
  get('/message/sync', 'message/sync', () => ({})),
  get('/group/members', 'group/members', ({ gid }) => ({ gid })),
  get('/friend/getlist', 'friend/getlist', () => ({})),
  {
    ...{ name: 'message/send', path: '/message/send', method: 'POST' },
    parametersOf: ({ friend }) => ({ to: friend, type: 'friend', content: '你好,明天见。' }),
  },
];

interface Server {
  readonly port: number;
  readonly key: string;
  readonly secret: string;
}

interface Asked {
  readonly latencies: number[];
  bytes: number;
}

/** Makes each call as each person, in turns on both histories, and prints how long the answers took, in milliseconds. */
export async function measureCalls(
  calls: readonly HistoryCall[],
  twins: readonly Twins[],
  servers: { readonly short: Server; readonly long: Server; readonly rounds: number },
): Promise<void> {
  const sides = [await openSide(servers.short, 'short'), await openSide(servers.long, 'long')] as const;
  console.log(
    `${twins.length} people, ${servers.rounds} times each     short: p50    p99   bytes      long: p50    p99   bytes   ratio: p50   p99`,
  );
  for (const call of calls) {
    // Until the code that runs is compiled, and everything was read once.
    for (const twin of twins) for (const side of sides) await ask(side, call, twin, undefined);
    const asked = sides.map((): Asked => ({ latencies: [], bytes: 0 }));
    for (let round = 0; round < servers.rounds; round++) {
      for (const twin of twins) {
        for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const side = sides[index];
          if (side) await ask(side, call, twin, asked[index]);
        }
      }
    }
    const [short, long] = asked;
    if (short && long) console.log(rowOf(call.name, short, long));
  }
  for (const { connection } of sides) connection.close();
}

async function openSide({ port, key, secret }: Server, name: keyof Twins) {
  const headers = `X-App-Key: ${key}\r\nX-App-Secret: ${secret}\r\n`;
  return { connection: await HttpConnection.open(port), headers, name };
}

/** By the server's key, which no limit holds up. @throws Error if the call is refused */
async function ask(
  { connection, headers, name }: Awaited<ReturnType<typeof openSide>>,
  { path, method, parametersOf }: HistoryCall,
  twins: Twins,
  asked: Asked | undefined,
): Promise<void> {
  const person = twins[name];
  const parameters = { login_uid: person.uid, ...parametersOf(person) };
  const query = new URLSearchParams(
    Object.entries(parameters).map(([parameter, value]) => [parameter, String(value)]),
  );
  const began = performance.now();
  const body =
    method === 'GET'
      ? await connection.get(`/api${path}?${query}`, headers)
      : await connection.post(`/api${path}`, headers, JSON.stringify(parameters));
  asked?.latencies.push(performance.now() - began);
  if (asked) asked.bytes += body.length;
  if (!body.startsWith('{"code":0,')) throw new Error(`${path} of ${person.uid}: ${body.slice(0, 200)}`);
}

function rowOf(name: string, short: Asked, long: Asked): string {
  const at = ({ latencies }: Asked, share: number) => {
    const sorted = latencies.toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  };
  const cell = (figure: number, width: number) => figure.toFixed(2).padStart(width);
  const side = (asked: Asked) =>
    cell(at(asked, 0.5), 12) +
    cell(at(asked, 0.99), 7) +
    String(Math.round(asked.bytes / asked.latencies.length)).padStart(8);
  const ratio = (share: number) => at(long, share) / at(short, share);
  return `${name.padEnd(26)}${side(short)}     ${side(long)}${cell(ratio(0.5), 13)}${cell(ratio(0.99), 7)}`;
}
