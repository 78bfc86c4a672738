import type pg from 'pg';
import type { Logger } from 'pino';
import type { Refusal } from '../../contracts/codes.ts';
import type { Captchas } from '../accounts/captcha.ts';
import type { Uploads } from '../accounts/uploads.ts';
import type { NoteVerifier } from '../audit/tree/note.ts';
import type { Progress } from '../bus/progress.ts';
import type { AccountDeletions } from '../commands/account-deletions.ts';
import type { CommandParts } from '../commands/parts.ts';
import type { MessageSender } from '../commands/send-message.ts';
import type { Drawing } from '../drawing/drawing.ts';
import type { Files } from '../files/files.ts';
import type { ReadPresence } from '../queries/people.ts';
import type { SmsInbox } from '../sms/development-inbox.ts';

/** What the routes work with; assembled once, when a program starts. */
export interface Application extends CommandParts {
  readonly sender: MessageSender;
  readonly deletions: AccountDeletions;
  readonly progress: Pick<Progress, 'checkpoint' | 'reached' | 'confirmed'>;
  readonly pool: pg.Pool;
  readonly presence: ReadPresence;
  readonly captchas: Captchas;
  /** Where the development provider keeps what it sent; undefined while a real one is in use. */
  readonly smsInbox: SmsInbox | undefined;
  readonly files: Files;
  readonly drawing: Drawing;
  readonly uploads: Uploads;
  /** The name of the log, under which its heads are signed. */
  readonly auditOrigin: string;
  /** By whom heads of the audit log are signed; undefined if no key is known here. */
  readonly auditVerifier: () => Promise<NoteVerifier | undefined>;
  /**
   * Why commands or queries are not answered just now; undefined if they are. None is before it is certain that
   * no id can be given twice, nor while the log holds what this program cannot decide. Commands are not while it
   * holds what the read models cannot show; queries are answered from what they show.
   */
  readonly obstacle: (to: 'commands' | 'queries') => Refusal | undefined;
  /** Whether nothing is in the way. */
  readonly isReady: () => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}
