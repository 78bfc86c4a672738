import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { CommandContext } from './context.ts';

/** Names of users and hosts are shorter, as a rule; events must not grow with them. */
const maxNameLength = 100;

/** Who gives a command in a shell of the installation: whom the operating system names, on which host. */
export function operatorContext(): CommandContext {
  const operator = `${userName()}@${hostname()}`.slice(0, 2 * maxNameLength).toWellFormed();
  return { actor: 'server', origin: { operator }, correlationId: randomUUID(), time: Date.now() };
}

/** The user's name; in a container whose user has none, its number. */
function userName(): string {
  try {
    return userInfo().username.slice(0, maxNameLength);
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
