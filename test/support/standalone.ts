import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AtEnd } from './at-end.ts';
import { postgresPid } from './installation.ts';
import { type RunningProgram, startProgram } from './process.ts';

/** What the API answers. */
export type Answer = z.infer<typeof Answer>;
const Answer = z.object({ code: z.int(), msg: z.string(), data: z.unknown().optional() });

/** A bubble-im that was started as `npm start` does, and how to call it. */
export interface Standalone extends Callable {
  readonly program: RunningProgram;
}

/** Where an API answers, and how to call it. */
export interface Callable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly secret: string;
  /** Calls the API: with parameters as a form, as a token's bearer or with the server's key. */
  call(path: string, by: Caller, parameters?: Readonly<Record<string, string | number>>): Promise<Answer>;
}

export type Caller = { readonly token: string } | 'server' | 'nobody';

/** The calls that are GET in the original API. */
const reading =
  /^\/(dev\/sms|api\/(user\/get|friend\/(getlist|applylist)|group\/detail|message\/(get|unreadcount)|pop\/\w+))$/;

/**
 * Starts services/standalone.ts on a data folder and a port of its own; nothing of it outlives the test, or `atEnd`.
 * @param file that of another version of the program
 */
export async function startStandalone(
  dataFolder: string,
  environment: Record<string, string> = {},
  atEnd: AtEnd = onTestFinished,
  file = 'services/standalone.ts',
): Promise<Standalone> {
  const all = { DATA_DIR: dataFolder, PORT: '0', LOG_LEVEL: 'warn', ...environment };
  const program = startProgram(file, [], all, atEnd);
  atEnd(async () => {
    program.signal('SIGKILL');
    await program.ended;
    const left = await postgresPid(dataFolder);
    if (left !== undefined) process.kill(left, 'SIGQUIT');
  });
  const line = await program.line(/^ {2}API /);
  const url = /http:\/\/[^/]+/.exec(line)?.[0] ?? '';
  const { key, secret } = await appKeys(dataFolder, environment);
  return { program, ...callableAt(url, key, secret) };
}

/** The API at an address. */
export function callableAt(url: string, key: string, secret: string): Callable {
  return {
    ...{ url, key, secret },
    port: Number(new URL(url).port),
    async call(path, by, parameters = {}) {
      const form = new URLSearchParams(
        Object.entries(parameters).map(([name, value]) => [name, String(value)]),
      );
      const headers =
        by === 'server'
          ? { 'x-app-key': key, 'x-app-secret': secret }
          : by === 'nobody'
            ? {}
            : { authorization: `Bearer ${by.token}` };
      const get = reading.test(path);
      const answer = await fetch(`${url}${path}${get ? `?${form}` : ''}`, {
        method: get ? 'GET' : 'POST',
        headers,
        ...(get ? {} : { body: form }),
      });
      return Answer.parse(await answer.json());
    },
  };
}

/** The server's key: as it was given, else as the program keeps it. */
async function appKeys(dataFolder: string, given: Readonly<Record<string, string>>) {
  const { APP_KEY: key, APP_SECRET: secret } = given;
  if (key !== undefined && secret !== undefined) return { key, secret };
  const kept = await readFile(join(dataFolder, 'app-secret'), 'utf8');
  return {
    key: key ?? /^APP_KEY=(.*)$/m.exec(kept)?.[1] ?? '',
    secret: secret ?? /^APP_SECRET=(.*)$/m.exec(kept)?.[1] ?? '',
  };
}
