import type pg from 'pg';
import type { Logger } from 'pino';
import type { Refusal } from '../../contracts/codes.ts';
import type { Captchas } from '../accounts/captcha.ts';
import type { CreatedGroups } from '../accounts/created-groups.ts';
import type { Ids } from '../accounts/ids.ts';
import type { Names } from '../accounts/names.ts';
import type { Passwords } from '../accounts/passwords.ts';
import type { Tokens } from '../accounts/tokens.ts';
import type { Uploads } from '../accounts/uploads.ts';
import type { App } from '../app-keys/signature.ts';
import type { Progress } from '../bus/progress.ts';
import type { AggregateStore } from '../commands/aggregate-store.ts';
import type { CompleteAccounts } from '../commands/complete-accounts.ts';
import type { MessageSender } from '../commands/send-message.ts';
import type { Drawing } from '../drawing/drawing.ts';
import type { SecurityLog } from '../edge/security-log.ts';
import type { Files } from '../files/files.ts';
import type { EventLog } from '../log/log.ts';
import type { ReadPresence } from '../queries/people.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { SmsCodes } from '../sms/codes.ts';
import type { SmsInbox } from '../sms/inbox.ts';

/** All that the routes work with; put together once, where a program starts. */
export interface Application {
  readonly app: App;
  readonly log: EventLog;
  readonly store: AggregateStore;
  readonly sender: MessageSender;
  readonly progress: Pick<Progress, 'checkpoint' | 'reached' | 'confirmed'>;
  readonly pool: pg.Pool;
  readonly database: ReadDatabase;
  readonly presence: ReadPresence;
  readonly names: Names;
  readonly completeAccounts: CompleteAccounts;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly captchas: Captchas;
  readonly smsCodes: SmsCodes;
  /** Where the development provider keeps what it sent; undefined while a real one is in use. */
  readonly smsInbox: SmsInbox | undefined;
  readonly createdGroups: CreatedGroups;
  readonly ids: Ids;
  readonly files: Files;
  readonly drawing: Drawing;
  readonly uploads: Uploads;
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
  readonly security: SecurityLog;
}
