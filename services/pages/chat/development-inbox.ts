import { CallRefused, dataOf } from '../shared/envelope.ts';
import { api } from './session.ts';
import { t } from './texts.ts';

// GET /dev/sms shows the codes of a system that has no SMS service, to the server's key.

const addressOf = (phone: string) => `/dev/sms?${new URLSearchParams({ phone })}`;

/** Whether the system keeps codes instead of sending them: the call exists then, though it shows a stranger nothing. */
export async function inboxInUse(phone: string): Promise<boolean> {
  const answer = await fetch(addressOf(phone), { credentials: 'omit' });
  return answer.status !== 404;
}

/**
 * The newest code for a phone and purpose.
 * @param secret the server's, as the person wrote it; kept nowhere
 * @throws CallRefused if the secret is wrong, or no code was kept
 */
export async function codeSentTo(phone: string, purpose: string, secret: string): Promise<string> {
  const { appkey } = await api.call('/pop/getsetting', {});
  const answer = await fetch(addressOf(phone), {
    headers: { 'x-app-key': appkey, 'x-app-secret': secret.trim() },
    credentials: 'omit',
  });
  const sent: readonly { readonly type: string; readonly code: string }[] = await dataOf(answer);
  const newest = sent.find(({ type }) => type === purpose);
  if (!newest) throw new CallRefused(0, t('noCode'));
  return newest.code;
}
