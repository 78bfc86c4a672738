import { createHmac } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { createCaptchas } from '../../services/accounts/captcha.ts';
import { drawCaptcha } from '../../services/drawing/captcha-picture.ts';
import { openAccounts } from '../support/accounts.ts';

const accounts = await openAccounts();
const secret = 'secret of the test';
const captchas = createCaptchas({ database: accounts.database, secret, draw: drawCaptcha });
const otherProcess = createCaptchas({ database: accounts.another(), secret, draw: drawCaptcha });
afterAll(() => accounts.close());

const share = { of: 'somebody', maxWaiting: 10 };
const refused = expect.objectContaining({ reason: 'illegal' });

/** No program reads the picture, so the row is given an answer that is known. */
async function create(answer: string): Promise<string> {
  const { captcha_id } = await captchas.create(share);
  await accounts.pool.query('update accounts.captchas set hash = $2 where id = $1', [
    captcha_id,
    createHmac('sha256', secret).update(`captcha ${captcha_id} ${answer.toLowerCase()}`).digest(),
  ]);
  return captcha_id;
}

describe('a captcha', () => {
  test('is a PNG in a data URL, another each time', async () => {
    const one = await captchas.create(share);
    const other = await captchas.create(share);
    expect(one.image).toMatch(/^data:image\/png;base64,iVBORw0KGgo/);
    expect(other.captcha_id).not.toBe(one.captcha_id);
    expect(other.image).not.toBe(one.image);
  });

  test('is solved by its answer in any case, in any process', async () => {
    await otherProcess.check(await create('aB3x'), 'Ab3X');
  });

  test('serves once', async () => {
    const id = await create('aB3x');
    const outcomes = await Promise.allSettled([captchas.check(id, 'ab3x'), otherProcess.check(id, 'ab3x')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('is used up by a wrong answer', async () => {
    const id = await create('aB3x');
    await expect(captchas.check(id, 'nope')).rejects.toEqual(refused);
    await expect(captchas.check(id, 'ab3x')).rejects.toEqual(refused);
  });

  test('runs out after five minutes', async () => {
    const id = await create('aB3x');
    await accounts.pool.query(
      "update accounts.captchas set created = created - interval '5 minutes' where id = $1",
      [id],
    );
    await expect(captchas.check(id, 'ab3x')).rejects.toEqual(refused);
  });

  test('that never was is refused', async () => {
    await expect(captchas.check('nonsense', 'ab3x')).rejects.toEqual(refused);
  });
});
