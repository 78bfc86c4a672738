import { ref } from 'vue';
import type { z } from 'zod';
import type { auditEvents } from '../../../contracts/http/audit-events.ts';
import type { auditExplain } from '../../../contracts/http/explain.ts';
import type { settingGet } from '../../../contracts/http/setting.ts';

/** The calls of the console, by their paths; all are GET. */
export interface ServerCalls {
  '/api/setting/get': typeof settingGet;
  '/audit/events': typeof auditEvents;
  '/audit/explain': typeof auditExplain;
}

export type Asked<Path extends keyof ServerCalls> = z.input<ServerCalls[Path]['parameters']>;
export type Answered<Path extends keyof ServerCalls> = z.output<ServerCalls[Path]['data']>;

/** The server's key and its secret. They are in the memory of this page alone, and gone when it is closed. */
export interface ServerKey {
  readonly key: string;
  readonly secret: string;
}

export const serverKey = ref<ServerKey>();

/** The request was refused, with what the server says. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

const headersOf = (given: ServerKey | undefined = serverKey.value): Record<string, string> =>
  given === undefined ? {} : { 'x-app-key': given.key, 'x-app-secret': given.secret };

/** @throws Refused; TypeError if the server cannot be reached */
export async function ask<Path extends keyof ServerCalls>(
  path: Path,
  parameters: Asked<Path>,
  as?: ServerKey,
): Promise<Answered<Path>> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const response = await fetch(`${path}?${query}`, { headers: headersOf(as) });
  const { code, msg, data } = await response.json();
  if (code !== 0) throw new Refused(msg);
  return data;
}

/** A text that is not in the API's envelope; undefined if there is none. @throws TypeError if nothing answers */
export async function askText(path: string): Promise<string | undefined> {
  const response = await fetch(path, { headers: headersOf() });
  return response.ok ? response.text() : undefined;
}

/** Signs in with a key that the server accepts. @throws Refused */
export async function signIn(given: ServerKey): Promise<void> {
  await ask('/api/setting/get', {}, given);
  serverKey.value = given;
}
