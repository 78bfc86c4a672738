import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import { drawCaptcha } from './captcha-picture.ts';
import type { AccountsDatabase } from './tables.ts';

/** How long a picture can be solved, in seconds. */
export const captchaSeconds = 300;

export interface CaptchaPicture {
  readonly captcha_id: string;
  /** A data URL. */
  readonly image: string;
}

export interface Captchas {
  /** A new picture, good for `captchaSeconds`. */
  create(): Promise<CaptchaPicture>;
  /**
   * Checks an answer, without regard to case. Right or wrong, the picture is used up.
   * @throws Refusal `illegal`.
   */
  check(captchaId: string, answer: string): Promise<void>;
}

/** @param secret the same in all processes; without it the answers kept cannot be guessed back. */
export function createCaptchas(options: {
  readonly database: AccountsDatabase;
  readonly secret: string;
}): Captchas {
  const { database, secret } = options;

  function answerHash(id: string, answer: string): Buffer {
    return createHmac('sha256', secret).update(`captcha ${id} ${answer.trim().toLowerCase()}`).digest();
  }

  return {
    async create() {
      const { text, picture } = await drawCaptcha();
      const id = randomBytes(16).toString('base64url');
      await database
        .insertInto('accounts.captchas')
        .values({ id, hash: answerHash(id, text) })
        .execute();
      return {
        captcha_id: id,
        image: `data:image/png;base64,${picture.toString('base64')}`,
      };
    },
    async check(captchaId, answer) {
      const row = await database
        .deleteFrom('accounts.captchas')
        .where('id', '=', captchaId)
        .returning([
          'hash',
          sql<boolean>`created > now() - make_interval(secs => ${captchaSeconds})`.as('fresh'),
        ])
        .executeTakeFirst();
      if (!row?.fresh || !timingSafeEqual(row.hash, answerHash(captchaId, answer))) {
        throw new Refusal('illegal', '图形验证码错误或已过期,请刷新后重试');
      }
    },
  };
}
