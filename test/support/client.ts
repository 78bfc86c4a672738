import { z } from 'zod';
import { type RunningApplication, serverKey } from './application.ts';

const Envelope = z.object({ code: z.int(), msg: z.string(), data: z.unknown().optional() });
/** What the API answers, in its envelope. */
export type Envelope = z.infer<typeof Envelope>;

export type Parameters = Readonly<Record<string, unknown>>;

/** A person who calls the API; through the server's key, since their password is not what is tested. */
export interface Person {
  readonly uid: number;
  readonly nickname: string;
  post(path: string, parameters?: Parameters): Promise<Envelope>;
  get(path: string, parameters?: Parameters): Promise<Envelope>;
}

/** The answer of a command that returns no data. */
export const done: Envelope = { code: 0, msg: 'ok', data: [] };

/** The answer of a call that is refused. */
export const refusedWith = (code: number, msg: string): Envelope => ({ code, msg, data: [] });

const Added = z.object({ uid: z.int() });
let usernames = 0;

/** Posts JSON, or gets with a query; `path` without `/api`. */
export async function call(
  { server }: RunningApplication,
  method: 'GET' | 'POST',
  path: string,
  parameters: Parameters = {},
  headers: Readonly<Record<string, string>> = serverKey,
): Promise<Envelope> {
  const query = Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]);
  const answer = await server.inject(
    method === 'GET'
      ? { method, url: `/api${path}`, query: Object.fromEntries(query), headers }
      : { method, url: `/api${path}`, payload: parameters, headers },
  );
  return Envelope.parse(answer.json());
}

/** Registers two people. */
export async function two(
  running: RunningApplication,
  one = 'tom',
  other = 'jerry',
): Promise<[Person, Person]> {
  return Promise.all([person(running, one), person(running, other)]);
}

/** Registers three people. */
export async function three(running: RunningApplication): Promise<[Person, Person, Person]> {
  return Promise.all([person(running, 'tom'), person(running, 'jerry'), person(running, 'spike')]);
}

/** Registers someone of this nickname. */
export async function person(running: RunningApplication, nickname: string): Promise<Person> {
  const account = { username: `u${++usernames}x${process.pid}`, nickname, password: 'secret-1' };
  const { uid } = Added.parse((await call(running, 'POST', '/user/add', account)).data);
  const own = { login_uid: uid };
  return {
    ...{ uid, nickname },
    post: (path, parameters) => call(running, 'POST', path, { ...own, ...parameters }),
    get: (path, parameters) => call(running, 'GET', path, { ...own, ...parameters }),
  };
}

/** Registers someone of this nickname who calls with a token of their own, as clients do. */
export async function client(running: RunningApplication, nickname: string): Promise<Person> {
  const account = { username: `u${++usernames}x${process.pid}`, nickname, password: 'secret-1' };
  const { uid } = Added.parse((await call(running, 'POST', '/user/add', account)).data);
  const login = await call(running, 'POST', '/login/login', account, {});
  const { token } = z.object({ token: z.string() }).parse(login.data);
  const bearer = { authorization: `Bearer ${token}` };
  return {
    ...{ uid, nickname },
    post: (path, parameters) => call(running, 'POST', path, parameters, bearer),
    get: (path, parameters) => call(running, 'GET', path, parameters, bearer),
  };
}

/** Makes two people friends. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await one.post('/friend/add', { friend_uid: other.uid });
}

/** Has a person create a group with these members. @returns its gid */
export async function createGroup(owner: Person, ...members: Person[]): Promise<number> {
  const { data } = await owner.post('/group/create', { members: members.map(({ uid }) => uid) });
  return Number(z.object({ gid: z.string() }).parse(data).gid);
}

/** Does something a number of times, one after the other. */
export async function inTurn<Result>(
  count: number,
  work: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let index = 0; index < count; index++) results.push(await work(index));
  return results;
}
