import { userSessions } from '../../../contracts/http/administration.ts';
import { loginJoinCaptcha, loginLoginCaptcha } from '../../../contracts/http/aliases.ts';
import { auditAsOf } from '../../../contracts/http/as-of.ts';
import { auditEvents } from '../../../contracts/http/audit-events.ts';
import { auditStream } from '../../../contracts/http/audit-stream.ts';
import { auditUploads } from '../../../contracts/http/audit-uploads.ts';
import { developmentSms } from '../../../contracts/http/development.ts';
import { auditExplain } from '../../../contracts/http/explain.ts';
import { loginCaptcha } from '../../../contracts/http/login.ts';
import { messageSync } from '../../../contracts/http/message.ts';
import { groupAvatar, qrcodeGet } from '../../../contracts/http/picture.ts';
import { systemStatus } from '../../../contracts/http/system.ts';

const captcha = 'a captcha is random, and in no log';

/** Why queries of the API have no answer of a moment, by their paths; docs/operations.md lists them. */
const reasons: ReadonlyMap<string, string> = new Map([
  [messageSync.path, 'it answers from what was pushed, which is in no log'],
  [userSessions.path, 'when a session was last used is in no log'],
  [systemStatus.path, 'it answers from the running programs and their database, which are in no log'],
  [auditUploads.path, 'the names of uploads are in no log'],
  [groupAvatar.path, 'it answers a picture of uploaded files, which are in no log'],
  [qrcodeGet.path, 'it answers a picture of its parameter alone, the same at every moment'],
  [loginCaptcha.path, captcha],
  [loginLoginCaptcha.path, captcha],
  [loginJoinCaptcha.path, captcha],
  [developmentSms.path, 'SMS codes are in no log'],
  [auditEvents.path, 'it names a moment itself: until'],
  [auditExplain.path, 'it names a moment itself: at'],
  [auditAsOf.path, 'it names a moment itself: at'],
  [auditStream.path, 'it names a moment itself: revision'],
]);

/**
 * Why a query is answered from more than the log, so that it has no answer of a moment; undefined if it is not.
 * @param parameters as the API reads them; left out if they are not to be judged
 */
export function notInTheLog(
  path: string,
  parameters: Readonly<Record<string, unknown>> = {},
): string | undefined {
  return parameters.password === undefined ? reasons.get(path) : 'passwords are in no log';
}
