import { z } from 'zod';
import { defaultSettings } from '../../contracts/settings.ts';
import { callAsServer } from '../bench/people.ts';
import type { RunningProgram } from '../bench/program.ts';

/** A registered person whom the fuzzer plays. */
export interface Person {
  readonly uid: number;
  readonly username: string;
  token: string;
}

/** The people of one lane: those who talk, and a stranger whom no request of theirs names. */
export interface Cast {
  readonly insiders: readonly Person[];
  readonly stranger: Person;
}

/** The password of all of them. */
export const password = 'fuzzing-1';

const LoggedIn = z.object({ uid: z.int(), token: z.string() });

/** Registers the people of a lane and logs them in. */
export async function makeCast(program: RunningProgram, lane: string, insiders: number): Promise<Cast> {
  const people: Person[] = [];
  for (let index = 0; index <= insiders; index++) {
    const username = `f${lane}p${index}`;
    await callAsServer(program, '/user/add', { username, nickname: username, password });
    const { uid, token } = await logIn(program, username);
    people.push({ uid, username, token });
  }
  const [stranger, ...others] = people;
  if (stranger === undefined) throw new TypeError('a cast has a stranger');
  return { insiders: others, stranger };
}

/** Makes a person able to act again, whose token was ended, whose password was changed or who was disabled. */
export async function revive(program: RunningProgram, person: Person): Promise<void> {
  await restoreSettings(program);
  await callAsServer(program, '/user/update', { login_uid: person.uid, account_state: 'normal', password });
  person.token = (await logIn(program, person.username)).token;
}

async function logIn(program: RunningProgram, username: string): Promise<z.infer<typeof LoggedIn>> {
  return LoggedIn.parse(await callAsServer(program, '/login/login', { username, password }));
}

/** More than the fuzzer does, so that limits of rates do not answer instead of what is behind them. */
const noLimit = 1_000_000_000;

/** Sets all settings to their defaults, without the limits of rates. */
export async function restoreSettings(program: RunningProgram): Promise<void> {
  const { appkey: _, ...settings }: Record<string, unknown> = { appkey: '', ...defaultSettings };
  const rates = Object.keys(settings).filter((name) =>
    /^limit_(token|address|password|group|member)/.test(name),
  );
  const without = Object.fromEntries(rates.map((name) => [name, noLimit]));
  await callAsServer(program, '/setting/update', { ...settings, ...without });
}
