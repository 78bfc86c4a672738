import { randomBytes } from 'node:crypto';
import { beginSession, createClient, type Purpose } from './connect.ts';

/** How long a notification may take before the connection counts as one that carries none, in milliseconds. */
const patience = 3000;

const purpose: Purpose = { name: 'bubble-im start', statement: patience };

/**
 * Makes sure that a connection is a session of its own: that a notification reaches who listens. Behind
 * a proxy that pools by transaction it does not, and locks would be let go of unseen.
 * @throws Error, in words for who starts the program
 */
export async function mustKeepSessions(url: string): Promise<void> {
  const config = { connectionString: url, connectionTimeoutMillis: patience };
  const listener = createClient(config, purpose);
  const speaker = createClient(config, purpose);
  for (const client of [listener, speaker]) client.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.all([listener.connect(), speaker.connect()]);
    await Promise.all([beginSession(listener, purpose), beginSession(speaker, purpose)]);
    const channel = `bubble_im_${randomBytes(8).toString('hex')}`;
    const heard = new Promise<boolean>((resolve) => {
      listener.once('notification', () => resolve(true));
      timer = setTimeout(() => resolve(false), patience);
    });
    await listener.query(`listen ${channel}`);
    await speaker.query(`notify ${channel}`);
    if (!(await heard)) {
      throw new Error(
        'it keeps no sessions, as a proxy that pools by transaction: connect to Postgres itself, or pool by session',
      );
    }
  } finally {
    clearTimeout(timer);
    await Promise.allSettled([listener.end(), speaker.end()]);
  }
}
