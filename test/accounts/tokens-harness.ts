import { afterAll } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { createTokens, type Tokens } from '../../services/accounts/tokens.ts';
import type { Bus } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { openAccounts, silent } from '../support/accounts.ts';

export const accounts = await openAccounts();
export const bus = memoryBus(silent);
export const opened: Tokens[] = [];

afterAll(async () => {
  await Promise.all(opened.map((tokens) => tokens.close()));
  await bus.close();
  await accounts.close();
});

/** One process. Those on one bus receive each other's signals; `time` is moved by hand. */
export function startProcess(on: Bus = bus) {
  const clock = { time: 0 };
  const tokens = createTokens({
    database: accounts.database,
    bus: on,
    logger: silent,
    now: () => clock.time,
  });
  opened.push(tokens);
  return { tokens, clock };
}

let people = 0;
/** Registers somebody. */
export async function register(): Promise<{ uid: Uid; passwordHash: string }> {
  const uid = Uid.parse(++people);
  await accounts.pool.query(
    `insert into accounts.accounts (uid, username, username_key, number_id, password_hash, registered)
     values ($1, $2, $2, $1, 'hash', true)`,
    [uid, `person${uid}`],
  );
  return { uid, passwordHash: 'hash' };
}

/** Sets the time since the last use of a person's tokens. */
export async function setIdle(uid: Uid, interval: string): Promise<void> {
  await accounts.pool.query('update accounts.tokens set used = now() - $2::interval where uid = $1', [
    uid,
    interval,
  ]);
}
