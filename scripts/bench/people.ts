import type { RunningProgram } from './program.ts';

/** What is called with the server's key. */
type Called = Pick<RunningProgram, 'port' | 'key' | 'secret'>;

/** A registered and logged-in person of a benchmark. */
export interface Person {
  readonly uid: number;
  readonly username: string;
  readonly token: string;
}

/** Calls the API with the server's key. Throws if the answer's code is not 0. */
export async function callAsServer(
  program: Called,
  path: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${program.port}/api${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-app-key': program.key,
      'x-app-secret': program.secret,
    },
    body: JSON.stringify(parameters),
  });
  const { code, msg, data }: { code: number; msg: string; data: unknown } = JSON.parse(await answer.text());
  if (code !== 0) throw new Error(`${path}: ${code} ${msg}`);
  return data;
}

const password = 'benchmark';

/** Registers people and logs them in. They may send without end, as what is measured is no limit. */
export async function makePeople(program: Called, count: number): Promise<Person[]> {
  await callAsServer(program, '/setting/update', { limit_commands: 1_000_000_000 });
  const run = Date.now().toString(36);
  const people: Person[] = [];
  const inARow = 8;
  for (let begin = 0; begin < count; begin += inARow) {
    const batch = Array.from({ length: Math.min(inARow, count - begin) }, async (_, index) => {
      const username = `u${run}x${begin + index}`;
      await callAsServer(program, '/user/add', { username, nickname: username, password });
      const data = await callAsServer(program, '/login/login', { username, password });
      const { uid, token } = { uid: 0, token: '', ...(typeof data === 'object' ? data : {}) };
      return { uid, username, token };
    });
    people.push(...(await Promise.all(batch)));
  }
  return people;
}
