import type pg from 'pg';
import type { Logger } from 'pino';
import { Refusal } from '../../contracts/codes.ts';
import { firstReplacedMid } from '../../contracts/ids.ts';
import { accountsDatabase } from '../accounts/accounts-tables.ts';
import { createCaptchas } from '../accounts/captcha.ts';
import { createCreatedGroups } from '../accounts/created-groups.ts';
import { startHousekeeping } from '../accounts/housekeeping.ts';
import { createIds } from '../accounts/ids.ts';
import { createLostAccounts } from '../accounts/lost-accounts.ts';
import { createNames } from '../accounts/names.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { createSessions } from '../accounts/sessions.ts';
import { createTokens } from '../accounts/tokens.ts';
import { createUploads } from '../accounts/uploads.ts';
import type { App } from '../app-keys/signature.ts';
import type { Bus } from '../bus/bus.ts';
import { followProgress } from '../bus/progress.ts';
import { openAccessLog } from '../commands/access-log.ts';
import { AccountDeletions } from '../commands/account-deletions.ts';
import { AggregateStore } from '../commands/aggregate-store.ts';
import { createCompleteAccounts } from '../commands/complete-accounts.ts';
import { ContentHashes } from '../commands/content-hashes.ts';
import { isRegisteredAs } from '../commands/register.ts';
import { type MessageLookup, MessageSender } from '../commands/send-message.ts';
import { currentSettings } from '../commands/setting.ts';
import { createSnapshots } from '../commands/snapshots.ts';
import { unreadableText } from '../commands/unreadable-events.ts';
import { greaterIds, UsedIds } from '../commands/used-ids.ts';
import { createDrawing } from '../drawing/drawing.ts';
import { identify } from '../edge/identify.ts';
import { createSecurityLog } from '../edge/security-log.ts';
import type { FileStore } from '../files/file-store.ts';
import { openFiles } from '../files/files.ts';
import { UnreadableEvent } from '../log/codec.ts';
import type { FollowingFault } from '../log/following-fault.ts';
import type { EventId, EventLog, Position } from '../log/log.ts';
import { hedged } from '../postgres/hedged.ts';
import { greatestIds, readCheckpoint } from '../queries/checkpoint.ts';
import { findByEventId, hasSpoken, isReadable } from '../queries/messages.ts';
import { readPresence } from '../queries/presence.ts';
import { readDatabase } from '../queries/tables.ts';
import { createSmsCodes } from '../sms/codes.ts';
import type { Sms } from '../sms/open.ts';
import type { Application } from './application.ts';
import { raiseIds } from './raise-ids.ts';
import { readModelsTimeoutMs } from './route.ts';

/** What the API is built on, chosen at the start of the program. */
export interface Foundation {
  readonly log: EventLog;
  readonly bus: Bus;
  readonly pool: pg.Pool;
  readonly app: App;
  /** The store of uploads. */
  readonly fileStore: FileStore;
  /** The folder of pictures that are made of uploads. */
  readonly folder: string;
  /** The provider that sends codes to phones. */
  readonly sms: Sms;
  readonly logger: Logger;
  /** See `Application`. */
  readonly auditOrigin: string;
  /** See `Application`. */
  readonly auditVerifier: Application['auditVerifier'];
  /** Why the read models do not follow the log, as far as this process knows; undefined while they do. */
  readonly readModelsFault?: () => FollowingFault | undefined;
  /** Receives a failure after which the program must end. */
  readonly fail: (error: unknown) => void;
}

/** The answer to callers while the read models do not follow the log. */
const faultText = '数据无法跟上日志,请升级程序或联系管理员';

/** The application, and how far it is. */
export interface Assembled {
  readonly application: Application;
  /** Resolves once requests are carried out, or `stop` was called before. */
  readonly prepared: Promise<void>;
  /** Ends what the application began, and nothing of its foundation. */
  stop(): Promise<void>;
}

/** Puts together what the routes work with. */
export async function assemble(foundation: Foundation): Promise<Assembled> {
  const { log, bus, pool, app, fileStore, folder, sms, logger, auditOrigin, auditVerifier, fail } =
    foundation;
  const files = await openFiles(folder, fileStore);
  const drawing = createDrawing();
  const database = readDatabase(pool);
  const accounts = accountsDatabase(pool);
  const { installation } = await identify(log, pool);
  const progress = await followProgress(bus, () => hedged(() => readCheckpoint(database)));
  const report = (error: unknown) => {
    if (error instanceof UnreadableEvent) logUnreadable(logger, error);
    else fail(error);
  };
  const used = new UsedIds(firstReplacedMid);
  const store = new AggregateStore(log, report, {
    snapshots: createSnapshots(pool),
    onRecord: (record) => used.apply(record),
  });
  await store.start();
  const tokens = createTokens({ database: accounts, bus, logger });
  const smsCodes = createSmsCodes({ database: accounts, provider: sms.provider, secret: app.secret, logger });
  const ids = createIds(accounts, async () => greaterIds(await greatestIds(database), used.greatest));
  const lookup: MessageLookup = {
    hasSpoken: async (conversation, sender, position) => {
      if (!(await progress.confirmed(position, readModelsTimeoutMs))) throw new Refusal('notReady');
      return hasSpoken(database, conversation, sender);
    },
    readable: isReadable.bind(undefined, database),
    byEventId: async (id: EventId, position: Position) => {
      if (!(await progress.reached(position, readModelsTimeoutMs))) throw new Refusal('notReady');
      const found = await findByEventId(database, id);
      if (found.checkpoint >= position) return found.message;
      // The database crashed, and is behind the position that it had reported: it makes its last batches again.
      if (!(await progress.confirmed(position, readModelsTimeoutMs))) throw new Refusal('notReady');
      return (await findByEventId(database, id)).message;
    },
  };
  const tokenDays = async () => (await currentSettings(store)).token_days;
  const housekeeping = startHousekeeping({ database: accounts, tokenDays, logger });
  const stopping = new AbortController();
  /** In which generation of the log no id can be given twice. */
  let preparedFor = -1;
  const isRegistered = isRegisteredAs.bind(undefined, log);
  const lost = createLostAccounts({ database: accounts, isRegistered });
  const raise = (signal: AbortSignal) =>
    raiseIds({ log, database, progress, ids, used, accounts: lost, logger, signal });
  const prepare = async () => {
    const { generation } = log;
    if (await raise(stopping.signal)) preparedFor = generation;
  };
  const completeAccounts = createCompleteAccounts({ accounts: lost, used, raise, stopping: stopping.signal });
  const prepared = prepare().catch(fail);
  let preparing = prepared;
  const unlisten = log.onChanged(() => {
    preparing = preparing.then(prepare).catch(fail);
  });
  const obstacle = (to: 'commands' | 'queries') => {
    if (store.obstacle) return new Refusal('notReady', unreadableText);
    if (to === 'commands' && foundation.readModelsFault?.() !== undefined) {
      return new Refusal('notReady', faultText);
    }
    return preparedFor === log.generation ? undefined : new Refusal('notReady');
  };
  const access = openAccessLog(log, logger);
  const isReady = () => obstacle('commands') === undefined;
  const deletions = new AccountDeletions({
    ...{ log, store, database, tokens, progress, logger, isReady },
    now: Date.now,
  });
  void prepared.then(() => deletions.start());
  const application: Application = {
    app,
    log,
    store,
    sender: new MessageSender(log, store, lookup, new ContentHashes(app.secret, installation), () =>
      ids.nextMid(),
    ),
    deletions,
    progress,
    pool,
    database,
    presence: (uids) => readPresence(pool, uids),
    names: createNames({ database: accounts, isRegistered }),
    completeAccounts,
    passwords: createPasswords({ database: accounts, tokens }),
    tokens,
    sessions: createSessions(accounts),
    captchas: createCaptchas({ database: accounts, secret: app.secret, draw: drawing.captcha }),
    smsCodes,
    smsInbox: sms.inbox,
    createdGroups: createCreatedGroups(accounts),
    ids,
    files,
    drawing,
    uploads: createUploads(accounts),
    auditOrigin,
    auditVerifier,
    obstacle,
    isReady,
    now: Date.now,
    logger,
    security: createSecurityLog(logger),
    access,
  };
  return {
    application,
    prepared,
    async stop() {
      stopping.abort();
      await files.close();
      await drawing.close();
      unlisten();
      await preparing;
      await deletions.close();
      await housekeeping.close();
      await smsCodes.close();
      await tokens.close();
      await access.close();
      await store.stop();
      progress.stop();
    },
  };
}

/** Logs an event that cannot be read, and what is not decided because of it: everything, or what is of its stream. */
function logUnreadable(logger: Logger, { kind, message, event: { position } }: UnreadableEvent): void {
  const what =
    kind === 'newer'
      ? 'nothing is decided any more: this program is older than an event of the log; start a newer one'
      : `nothing is decided in the stream of a broken event, until it is passed over: npm run skip -- ${position} --why "…"`;
  logger.fatal({ reason: message, position }, what);
}
