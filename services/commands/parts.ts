import type { CreatedGroups } from '../accounts/created-groups.ts';
import type { Ids } from '../accounts/ids.ts';
import type { Names } from '../accounts/names.ts';
import type { Passwords } from '../accounts/passwords.ts';
import type { Sessions } from '../accounts/sessions.ts';
import type { Tokens } from '../accounts/tokens.ts';
import type { App } from '../app-keys/signature.ts';
import type { SecurityLog } from '../edge/security-log.ts';
import type { EventLog } from '../log/log.ts';
import type { ReadDatabase } from '../queries/tables.ts';
import type { SmsCodes } from '../sms/codes.ts';
import type { AccessLog } from './access-log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CompleteAccounts } from './complete-accounts.ts';

/** What commands work with. Each command names those that it needs. */
export interface CommandParts {
  readonly app: App;
  readonly log: EventLog;
  readonly store: AggregateStore;
  readonly database: ReadDatabase;
  readonly ids: Ids;
  readonly names: Names;
  readonly completeAccounts: CompleteAccounts;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly smsCodes: SmsCodes;
  readonly createdGroups: CreatedGroups;
  readonly security: SecurityLog;
  readonly access: AccessLog;
}
