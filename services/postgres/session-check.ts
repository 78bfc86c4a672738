import { randomBytes } from 'node:crypto';
import { beginSession, createClient, type Purpose } from './connect.ts';

/** If a notification takes longer, the connection does not deliver any. */
const timeoutMs = 3000;

const purpose: Purpose = { name: 'bubble-im start', statementTimeoutMs: timeoutMs };

/**
 * Checks that a connection keeps its session: that a notification reaches the connection that listens. Behind
 * a proxy that pools by transaction it does not, and session locks would be released unnoticed.
 * @throws Error with a message for the operator
 */
export async function mustKeepSessions(url: string): Promise<void> {
  const config = { connectionString: url, connectionTimeoutMillis: timeoutMs };
  const listener = createClient(config, purpose);
  const sender = createClient(config, purpose);
  for (const client of [listener, sender]) client.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.all([listener.connect(), sender.connect()]);
    await Promise.all([beginSession(listener, purpose), beginSession(sender, purpose)]);
    const channel = `bubble_im_${randomBytes(8).toString('hex')}`;
    const received = new Promise<boolean>((resolve) => {
      listener.once('notification', () => resolve(true));
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    await listener.query(`listen ${channel}`);
    await sender.query(`notify ${channel}`);
    if (!(await received)) {
      throw new Error(
        'it keeps no sessions, like a proxy that pools by transaction: connect to Postgres directly, or pool by session',
      );
    }
  } finally {
    clearTimeout(timer);
    await Promise.allSettled([listener.end(), sender.end()]);
  }
}
