import { startProgram } from '../bench/program.ts';
import { newPassword, register, type Uids } from '../demo/cast.ts';
import { Server } from '../demo/server.ts';
import { tell } from '../demo/story.ts';
import { Talk } from '../demo/talk.ts';

/** A program of its own, filled as `npm run demo` does. */
export interface Demonstration {
  readonly url: string;
  readonly key: string;
  readonly secret: string;
  /** Of everybody. */
  readonly password: string;
  readonly uids: Uids;
  readonly talk: Talk;
  stop(): Promise<void>;
}

/** Somebody who has no friends yet. */
export const alone = 'alone';

/** @throws Error if it does not start, or refuses a call */
export async function startDemonstration(port: number): Promise<Demonstration> {
  const program = await startProgram(port);
  const { key, secret } = program;
  const url = `http://127.0.0.1:${port}`;
  const server = new Server(url, { key, secret });
  const password = newPassword();
  const uids = await register(server, password);
  const talk = new Talk(server, uids);
  await tell(talk);
  await server.act('/user/add', { username: alone, nickname: '新来的', password });
  return { ...{ url, key, secret, password, uids, talk }, stop: () => program.stop() };
}
