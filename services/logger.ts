import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import type { LogLevel } from './environment.ts';

const stderr = 2;

/**
 * The log of a program, on stderr: a line of JSON for each entry; on a terminal, lines for people.
 * @param level the least that is written
 */
export async function createLogger(level: LogLevel): Promise<Logger> {
  if (!isatty(stderr)) return pino({ level }, pino.destination(stderr));
  // Imported here, since programs without a terminal have no use for it.
  const { default: pretty } = await import('pino-pretty');
  const lines = pretty({
    destination: stderr,
    // What is written before the process ends must not be lost.
    sync: true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  });
  return pino({ level }, lines);
}
