import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { Refusal } from '../../contracts/codes.ts';
import type { Captcha } from '../drawing/captcha-picture.ts';
import type { Share } from '../fair-queue.ts';
import type { AccountsDatabase } from './accounts-tables.ts';

/** How long a picture can be answered. */
export const captchaSeconds = 300;

export interface CaptchaPicture {
  readonly captcha_id: string;
  /** A data URL. */
  readonly image: string;
}

export interface Captchas {
  /**
   * Makes a picture, valid for `captchaSeconds`.
   * @param share whose request it is
   * @throws Refusal tooMany, notReady if too many wait
   */
  create(share: Share): Promise<CaptchaPicture>;
  /**
   * Checks an answer, ignoring case. Right or wrong, the picture cannot be used again.
   * @throws Refusal illegal
   */
  check(captchaId: string, answer: string): Promise<void>;
}

/** @param secret the same in all processes; it keeps the stored hashes of answers from being guessed */
export function createCaptchas(options: {
  readonly database: AccountsDatabase;
  readonly secret: string;
  readonly draw: (share: Share) => Promise<Captcha>;
}): Captchas {
  const { database, secret, draw } = options;

  function answerHash(id: string, answer: string): Buffer {
    return createHmac('sha256', secret).update(`captcha ${id} ${answer.trim().toLowerCase()}`).digest();
  }

  return {
    async create(share) {
      const { text, picture } = await draw(share);
      const id = randomBytes(16).toString('base64url');
      await database
        .insertInto('accounts.captchas')
        .values({ id, hash: answerHash(id, text) })
        .execute();
      return {
        captcha_id: id,
        image: `data:image/png;base64,${Buffer.from(picture).toString('base64')}`,
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
