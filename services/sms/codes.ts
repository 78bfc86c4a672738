import { createHmac, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Expression, type RawBuilder, type SqlBool, sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { codes, Refusal } from '../../contracts/codes.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { AccountsDatabase, AccountsTables } from '../accounts/accounts-tables.ts';
import { networkOf } from '../edge/client-network.ts';
import { SmsNotSent, type SmsProvider, type SmsPurpose } from './provider.ts';

/** A code that was found right, to be spent from where it was shown. */
export interface CheckedCode {
  readonly id: number;
  readonly network: string;
}

export interface CodeRequest {
  readonly phone: string;
  readonly purpose: SmsPurpose;
  /** Who asks. */
  readonly address: string;
  /**
   * Whether the phone may have it (`register`, `bind`: it is free, `forget`: it is known). Where not, nothing
   * is sent, and everything else, limits and time included, is as if it were.
   */
  readonly deliver: boolean;
  readonly limits: SmsLimits;
}

/** The settings that bound how many codes are sent. */
export type SmsLimits = Pick<Settings, 'limit_sms_seconds' | 'limit_sms_phone' | 'limit_sms_address'>;

export interface SmsCodes {
  /**
   * Sends a code of 6 digits, good for 5 minutes; the one before it is good no more.
   * @throws Refusal `illegal` beyond the limits, which are counted by phone and purpose, phone, and address;
   * for `retrieve` `smsNotSent` where the provider did not send it, which else the log
   * alone tells. One that it refused then counts for no limit.
   */
  send(request: CodeRequest): Promise<void>;
  /**
   * Looks whether the code is right, and leaves it good. After 5 wrong ones from an address it is dead there;
   * after 50 from addresses that did not ask for it, everywhere but where it was asked for.
   * @throws Refusal `illegal`.
   */
  check(phone: string, purpose: SmsPurpose, code: string, address: string): Promise<CheckedCode>;
  /**
   * Uses a checked code up; of two at once one does. @throws Refusal `illegal` where it was used, died
   * or ran out meanwhile.
   */
  spend(checked: CheckedCode): Promise<void>;
  /** Waits for what is being sent. */
  close(): Promise<void>;
}

/** What became of a code at the provider. */
type Outcome = 'sent' | 'refused' | 'too often' | 'doubtful';

/** What is said to who asked for their own phone. */
const notSent: Readonly<Record<Exclude<Outcome, 'sent'>, string>> = {
  refused: codes.smsNotSent.msg,
  'too often': '该手机号获取短信过于频繁,请稍后再试',
  doubtful: '短信可能没有发出,请留意手机,稍后可重新获取',
};

/** From one address. */
const wrongTries = 5;
/** From all addresses together that did not ask for the code: of 900,000 codes they find one in 18,000. */
const wrongTriesOfOthers = 50;
/** How many times the daily limit of one address all addresses together have that the phone's owner never used. */
const strangersTogether = 3;
/** Who asks for these must not learn from the answer or its time whether the phone is known. */
const discreet: ReadonlySet<SmsPurpose> = new Set(['register', 'forget', 'bind']);
/** How long such an answer takes. */
const answerMilliseconds = 200;
const wrongCode = '短信验证码错误或已过期,请重新获取';

/**
 * @param secret the same in all processes; without it the codes kept cannot be guessed back.
 */
export function createSmsCodes(options: {
  readonly database: AccountsDatabase;
  readonly provider: SmsProvider;
  readonly secret: string;
  readonly logger: Logger;
}): SmsCodes {
  const { database, provider, secret, logger } = options;
  const sending = new Set<Promise<Outcome>>();

  function codeHash(phone: string, purpose: SmsPurpose, code: string): Buffer {
    return createHmac('sha256', secret).update(`sms ${phone} ${purpose} ${code}`).digest();
  }

  /** Hands the code to the provider. */
  function hand(phone: string, purpose: SmsPurpose, code: string): Promise<Outcome> {
    const handed = provider
      .send(phone, purpose, code)
      .then(
        (): Outcome => 'sent',
        (error: unknown): Outcome => {
          logger.error({ err: error, purpose }, 'a code could not be sent');
          if (!(error instanceof SmsNotSent)) return 'doubtful';
          return error.tooOften ? 'too often' : 'refused';
        },
      )
      .finally(() => sending.delete(handed));
    sending.add(handed);
    return handed;
  }

  return {
    async send({ phone, purpose, address: from, deliver, limits }) {
      const address = networkOf(from);
      const answerAt = delay(answerMilliseconds);
      const code = String(randomInt(100_000, 1_000_000));
      const id = await database.transaction().execute(async (transaction) => {
        await lockLimits(transaction, phone, address);
        await mustBeWithinLimits(transaction, { phone, purpose, address, limits });
        // What is not sent must not be guessed either: an empty hash is none that a code has.
        const hash = deliver ? codeHash(phone, purpose, code) : Buffer.alloc(0);
        const inserted = await transaction
          .insertInto('accounts.sms_codes')
          .values({ phone, purpose, hash, address })
          .returning('id')
          .executeTakeFirstOrThrow();
        return inserted.id;
      });
      const handed = deliver ? hand(phone, purpose, code) : undefined;
      if (discreet.has(purpose)) {
        // One that was refused still counts: else the limits would tell what the answer does not.
        if (provider.local) await handed;
        await answerAt;
        return;
      }
      const outcome = await handed;
      if (outcome === undefined || outcome === 'sent') return;
      if (outcome !== 'doubtful') {
        await database.deleteFrom('accounts.sms_codes').where('id', '=', id).execute();
      }
      throw new Refusal('smsNotSent', notSent[outcome]);
    },
    async check(phone, purpose, code, address) {
      const network = networkOf(address);
      const hash = codeHash(phone, purpose, code);
      // The count and the look are one statement, so that many at once get no sixth try.
      const { rows } = await sql<{ id: string | number; right: boolean }>`
        update accounts.sms_codes
        set wrong_tries = wrong_tries + case when hash = ${hash} or address = ${network} then 0 else 1 end,
            guesses = case when hash = ${hash} then guesses
              else guesses || jsonb_build_object(${network}::text, ${wrongFrom(network)} + 1) end
        where id = (
          select id from accounts.sms_codes where phone = ${phone} and purpose = ${purpose}
          order by sent desc, id desc limit 1
        ) and ${usableFrom(network)}
        returning id, hash = ${hash} as right`.execute(database);
      const [row] = rows;
      if (!row?.right) throw new Refusal('illegal', wrongCode);
      return { id: Number(row.id), network };
    },
    async spend(checked) {
      const { numUpdatedRows } = await database
        .updateTable('accounts.sms_codes')
        .set({ spent: true })
        .where('id', '=', checked.id)
        .where(usableFrom(checked.network))
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new Refusal('illegal', wrongCode);
    },
    async close() {
      await Promise.all(sending);
    },
  };
}

/** How many wrong ones came from the address. */
function wrongFrom(network: string): RawBuilder<number> {
  return sql<number>`coalesce((guesses ->> ${network}::text)::int, 0)`;
}

/** Whether a code is still good for who shows it from there. */
function usableFrom(network: string): Expression<SqlBool> {
  return sql<SqlBool>`
    not spent and sent > clock_timestamp() - interval '5 minutes' and ${wrongFrom(network)} < ${sql.lit(wrongTries)}
    and (address = ${network} or wrong_tries < ${sql.lit(wrongTriesOfOthers)})`;
}

/** Lets those who ask for one phone, or from one address, be counted one after the other. */
async function lockLimits(
  transaction: Transaction<AccountsTables>,
  phone: string,
  address: string,
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sms phone ${phone}`}, 0))`.execute(transaction);
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sms address ${address}`}, 0))`.execute(
    transaction,
  );
}

async function mustBeWithinLimits(
  transaction: Transaction<AccountsTables>,
  { phone, purpose, address, limits }: Omit<CodeRequest, 'deliver'>,
): Promise<void> {
  const { limit_sms_seconds, limit_sms_phone, limit_sms_address } = limits;
  const { rows } = await sql<{ soon: boolean; day: boolean; hour: boolean }>`
    select
      exists (
        select from accounts.sms_codes where phone = ${phone} and purpose = ${purpose}
        and sent > clock_timestamp() - make_interval(secs => ${limit_sms_seconds})
      ) as soon,
      (
        select count(*) from accounts.sms_codes where phone = ${phone} and address = ${address}
        and sent > clock_timestamp() - interval '1 day'
      ) >= ${limit_sms_phone} or (
        select count(*) from accounts.sms_codes where phone = ${phone}
        and sent > clock_timestamp() - interval '1 day'
      ) >= ${limit_sms_phone * strangersTogether} and not exists (
        select from accounts.known_addresses known join accounts.accounts using (uid)
        where accounts.phone = ${phone} and known.address = ${address}
      ) as day,
      (
        select count(*) from accounts.sms_codes where address = ${address}
        and sent > clock_timestamp() - interval '1 hour'
      ) >= ${limit_sms_address} as hour`.execute(transaction);
  const [over] = rows;
  if (over?.soon) throw new Refusal('illegal', `获取验证码过于频繁,请${limit_sms_seconds}秒后再试`);
  if (over?.day) throw new Refusal('illegal', '该手机号一天内获取验证码次数过多,请明天再试');
  if (over?.hour) throw new Refusal('illegal', '当前网络获取验证码次数过多,请一小时后再试');
}
