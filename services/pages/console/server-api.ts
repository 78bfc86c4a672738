import { ref } from 'vue';
import type { z } from 'zod';
import type {
  groupList,
  groupMemberList,
  userDelete,
  userEndSession,
  userList,
  userSessions,
} from '../../../contracts/http/administration.ts';
import type {
  announcementList,
  announcementRevoke,
  announcementSend,
} from '../../../contracts/http/announcement.ts';
import type { auditAsOf } from '../../../contracts/http/as-of.ts';
import type { AuditEvent, auditEvents } from '../../../contracts/http/audit-events.ts';
import type { auditStream } from '../../../contracts/http/audit-stream.ts';
import type { auditUploads } from '../../../contracts/http/audit-uploads.ts';
import type { developmentSms } from '../../../contracts/http/development.ts';
import type { auditExplain } from '../../../contracts/http/explain.ts';
import type { messageRevoke } from '../../../contracts/http/message.ts';
import type { settingGet, settingUpdate } from '../../../contracts/http/setting.ts';
import type { systemStatus } from '../../../contracts/http/system.ts';
import type { userAdd, userUpdate } from '../../../contracts/http/user.ts';
import { CallRefused, dataOf, queryOf } from '../shared/envelope.ts';

/** The calls of the console that are GET, by their paths: types alone, so that no schema gets into the page's script. */
export interface ServerQueries {
  '/api/announcement/list': typeof announcementList;
  '/api/group/list': typeof groupList;
  '/api/group/memberlist': typeof groupMemberList;
  '/api/setting/get': typeof settingGet;
  '/api/user/list': typeof userList;
  '/api/user/sessions': typeof userSessions;
  '/audit/as-of': typeof auditAsOf;
  '/audit/events': typeof auditEvents;
  '/audit/explain': typeof auditExplain;
  '/audit/stream': typeof auditStream;
  '/audit/uploads': typeof auditUploads;
  '/dev/sms': typeof developmentSms;
  '/system/status': typeof systemStatus;
}

/** Those that are POST. */
export interface ServerCommands {
  '/api/announcement/revoke': typeof announcementRevoke;
  '/api/announcement/send': typeof announcementSend;
  '/api/message/revoke': typeof messageRevoke;
  '/api/setting/update': typeof settingUpdate;
  '/api/user/add': typeof userAdd;
  '/api/user/delete': typeof userDelete;
  '/api/user/endsession': typeof userEndSession;
  '/api/user/update': typeof userUpdate;
}

export type Asked<Path extends keyof ServerQueries> = z.input<ServerQueries[Path]['parameters']>;
export type Answered<Path extends keyof ServerQueries> = z.output<ServerQueries[Path]['data']>;

export type Given<Path extends keyof ServerCommands> = z.input<ServerCommands[Path]['parameters']>;

/** An event as `/audit/live` gives it: without a number, since the index does not have it yet. */
export type ShownEvent = Omit<z.output<typeof AuditEvent>, 'number'> & { readonly number?: number };

/** The server's key and its secret. They are in the memory of this page alone, and gone when it is closed. */
export interface ServerKey {
  readonly key: string;
  readonly secret: string;
}

export const serverKey = ref<ServerKey>();

const headersOf = (given: ServerKey | undefined = serverKey.value): Record<string, string> =>
  given === undefined ? {} : { 'x-app-key': given.key, 'x-app-secret': given.secret };

/** Without the login cookie of a person: the key is who asks. */
const credentials = 'omit';

/** @throws CallRefused; TypeError if the server cannot be reached */
export async function ask<Path extends keyof ServerQueries>(
  path: Path,
  parameters: Asked<Path>,
  as?: ServerKey,
): Promise<Answered<Path>> {
  return dataOf(await fetch(`${path}?${queryOf(parameters)}`, { headers: headersOf(as), credentials }));
}

/** Carries a command out. @throws CallRefused; TypeError if the server cannot be reached */
export async function command<Path extends keyof ServerCommands>(
  path: Path,
  parameters: Given<Path>,
): Promise<void> {
  const headers = { ...headersOf(), 'content-type': 'application/json' };
  const body = JSON.stringify(parameters);
  await dataOf(await fetch(path, { method: 'POST', headers, body, credentials }));
}

/** A text that is not in the API's envelope; undefined if there is none. @throws TypeError if nothing answers */
export async function askText(path: string): Promise<string | undefined> {
  const response = await fetch(path, { headers: headersOf(), credentials });
  return response.ok ? response.text() : undefined;
}

/**
 * Reads an answer that grows, line by line, until it ends or the signal does.
 * @throws CallRefused, also for a line with `error`; TypeError if the server cannot be reached; the signal's reason
 */
export async function listen(
  path: string,
  parameters: object,
  signal: AbortSignal,
  onLine: (line: Readonly<Record<string, unknown>>) => void,
): Promise<void> {
  const response = await fetch(`${path}?${queryOf(parameters)}`, {
    headers: headersOf(),
    credentials,
    signal,
  });
  if (!response.ok || !/ndjson/.test(response.headers.get('content-type') ?? '')) return dataOf(response);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done) return;
    const lines = (text + value).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines.filter(Boolean)) {
      const parsed = JSON.parse(line);
      if (typeof parsed.error === 'string') throw new CallRefused(500, parsed.error);
      onLine(parsed);
    }
  }
}

/** Signs in with a key that the server accepts. @throws CallRefused */
export async function signIn(given: ServerKey): Promise<void> {
  await ask('/api/setting/get', {}, given);
  serverKey.value = given;
}
