import { createHmac, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Logger } from 'pino';
import { codes, Refusal } from '../../contracts/codes.ts';
import type { AccountsDatabase } from '../accounts/accounts-tables.ts';
import { networkOf } from '../edge/client-network.ts';
import { lockLimits, mustBeWithinLimits, type SmsLimits } from './limits.ts';
import { SmsNotSent, type SmsProvider, type SmsPurpose } from './provider.ts';

/** A code that was found right. It can be spent from the network that gave it. */
export interface CheckedCode {
  readonly id: number;
  readonly network: string;
}

export interface CodeRequest {
  readonly phone: string;
  readonly purpose: SmsPurpose;
  /** The client's address. */
  readonly address: string;
  /**
   * Whether the phone may have a code (`register`, `bind`: it is free, `forget`: it is known). If not, nothing is
   * sent; limits and the time of the answer are the same as if it were.
   */
  readonly deliver: boolean;
  readonly limits: SmsLimits;
}

export interface SmsCodes {
  /**
   * Sends a code of 6 digits, valid for 5 minutes. The phone's previous code for this purpose becomes invalid.
   * @throws Refusal `illegal` beyond the limits, which are counted by phone and purpose, phone, and address;
   * for `retrieve` `smsNotSent` if the provider did not send it; one that it refused then counts for no limit. For
   * the other purposes a failure is only logged
   */
  send(request: CodeRequest): Promise<void>;
  /**
   * Checks a code without spending it. After 5 wrong tries from an address the code is invalid there; after 50 from
   * addresses that did not request it, it is invalid everywhere but at the address that did.
   * @throws Refusal `illegal`
   */
  check(phone: string, purpose: SmsPurpose, code: string, address: string): Promise<CheckedCode>;
  /**
   * Spends a checked code; of two concurrent calls one succeeds.
   * @throws Refusal `illegal` if it was spent, became invalid or expired meanwhile
   */
  spend(checked: CheckedCode): Promise<void>;
  /** Resolves once the codes that are being sent are sent. */
  close(): Promise<void>;
}

/** How the provider handled a code. */
type Outcome = 'sent' | 'refused' | 'too often' | 'doubtful';

/** Messages for people who requested a code for their own phone. */
const notSent: Readonly<Record<Exclude<Outcome, 'sent'>, string>> = {
  refused: codes.smsNotSent.msg,
  'too often': '该手机号获取短信过于频繁,请稍后再试',
  doubtful: '短信可能没有发出,请留意手机,稍后可重新获取',
};

/** From one address. */
const maxWrongTries = 5;
/** From all addresses together that did not request the code: with 900,000 codes they guess one in 18,000. */
const maxWrongTriesOfOthers = 50;
/** For these purposes neither the answer nor its time may reveal whether the phone is known. */
const discreet: ReadonlySet<SmsPurpose> = new Set(['register', 'forget', 'bind']);
/** How long such an answer takes. */
const answerMs = 200;
const wrongCode = '短信验证码错误或已过期,请重新获取';

/**
 * @param secret the same in all processes; the stored hashes cannot be reversed without it
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

  /** Passes the code to the provider. Never rejects. */
  function deliverCode(phone: string, purpose: SmsPurpose, code: string): Promise<Outcome> {
    const delivery = provider
      .send(phone, purpose, code)
      .then(
        (): Outcome => 'sent',
        (error: unknown): Outcome => {
          logger.error({ err: error, purpose }, 'a code could not be sent');
          if (!(error instanceof SmsNotSent)) return 'doubtful';
          return error.tooOften ? 'too often' : 'refused';
        },
      )
      .finally(() => sending.delete(delivery));
    sending.add(delivery);
    return delivery;
  }

  return {
    async send({ phone, purpose, address: from, deliver, limits }) {
      const address = networkOf(from);
      const answerAt = delay(answerMs);
      const code = String(randomInt(100_000, 1_000_000));
      const id = await database.transaction().execute(async (transaction) => {
        await lockLimits(transaction, phone, address);
        await mustBeWithinLimits(transaction, { phone, purpose, address, limits });
        // A code that is not sent must not be guessed either: no code has an empty hash.
        const hash = deliver ? codeHash(phone, purpose, code) : Buffer.alloc(0);
        const inserted = await transaction
          .insertInto('accounts.sms_codes')
          .values({ phone, purpose, hash, address })
          .returning('id')
          .executeTakeFirstOrThrow();
        return inserted.id;
      });
      const delivery = deliver ? deliverCode(phone, purpose, code) : undefined;
      if (discreet.has(purpose)) {
        // A refused code still counts: otherwise the limits would reveal what the answer does not.
        if (provider.local) await delivery;
        await answerAt;
        return;
      }
      const outcome = await delivery;
      if (outcome === undefined || outcome === 'sent') return;
      if (outcome !== 'doubtful') {
        await database.deleteFrom('accounts.sms_codes').where('id', '=', id).execute();
      }
      throw new Refusal('smsNotSent', notSent[outcome]);
    },
    async check(phone, purpose, code, address) {
      const network = networkOf(address);
      const hash = codeHash(phone, purpose, code);
      // One statement counts and compares: with two, concurrent requests could get a sixth try.
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

/** How many wrong tries came from the network. */
function wrongFrom(network: string): RawBuilder<number> {
  return sql<number>`coalesce((guesses ->> ${network}::text)::int, 0)`;
}

/** Whether a code is still valid when given from this network. */
function usableFrom(network: string): Expression<SqlBool> {
  return sql<SqlBool>`
    not spent and sent > clock_timestamp() - interval '5 minutes' and ${wrongFrom(network)} < ${sql.lit(maxWrongTries)}
    and (address = ${network} or wrong_tries < ${sql.lit(maxWrongTriesOfOthers)})`;
}
