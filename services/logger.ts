import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { z } from 'zod';
import type { LogLevel } from './environment.ts';

/** What a line of the log tells beside its message, as far as it is looked at. */
const Told = z.object({ err: z.unknown(), reason: z.unknown() }).partial();
export type Told = z.infer<typeof Told>;

/**
 * Whether a line is left out of the log.
 * @param write writes it after all
 */
export type LeaveOut = (told: Told, write: () => void) => boolean;

/** A log whose lines can be left out. */
export interface ProgramLog {
  readonly logger: Logger;
  /** Asks this about each warning, and about what is less; undefined: all lines are written. */
  leaveOut(leaveOut: LeaveOut | undefined): void;
}

const stderr = 2;
const { warn } = pino.levels.values;

/**
 * Opens the log of a program, on stderr: a line of JSON for each entry; on a terminal, lines for people.
 * @param level the least that is written
 */
export async function openProgramLog(level: LogLevel): Promise<ProgramLog> {
  return programLog(level, isatty(stderr) ? await linesForPeople() : pino.destination(stderr));
}

/** The same, written elsewhere. */
export function programLog(level: LogLevel, destination: DestinationStream): ProgramLog {
  let leaveOut: LeaveOut | undefined;
  const hooks: LoggerOptions['hooks'] = {
    logMethod(parameters, method, lineLevel) {
      const write = () => method.apply(this, parameters);
      const asked = leaveOut !== undefined && lineLevel <= (warn ?? 0);
      const told = asked ? Told.safeParse(parameters[0]).data : undefined;
      if (told === undefined || !leaveOut?.(told, write)) write();
    },
  };
  return {
    logger: pino({ level, hooks }, destination),
    leaveOut: (given) => {
      leaveOut = given;
    },
  };
}

async function linesForPeople(): Promise<DestinationStream> {
  // Imported here, since programs without a terminal have no use for it.
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    destination: stderr,
    // What is written before the process ends must not be lost.
    sync: true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  });
}
