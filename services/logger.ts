import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { z } from 'zod';
import type { LogLevel } from './environment-variables.ts';

/** The fields of a log line that decide whether it is left out. */
const LineFields = z.object({ err: z.unknown(), reason: z.unknown() }).partial();
export type LineFields = z.infer<typeof LineFields>;

/**
 * Whether a line is left out of the log.
 * @param write writes the line later after all
 */
export type LeaveOut = (fields: LineFields, write: () => void) => boolean;

/** A log whose lines can be left out. */
export interface ProgramLog {
  readonly logger: Logger;
  /** Sets the function that is asked about each line up to the level `warn`; with undefined all lines are written. */
  leaveOut(leaveOut: LeaveOut | undefined): void;
}

const stderr = 2;
const { warn } = pino.levels.values;

/**
 * Opens the log of a program, on stderr: one line of JSON for each entry; on a terminal, readable lines.
 * @param level the lowest level that is written
 */
export async function openProgramLog(level: LogLevel): Promise<ProgramLog> {
  return programLog(level, isatty(stderr) ? await readableLines() : pino.destination(stderr));
}

/** The same with another destination. */
export function programLog(level: LogLevel, destination: DestinationStream): ProgramLog {
  let leaveOut: LeaveOut | undefined;
  const hooks: LoggerOptions['hooks'] = {
    logMethod(parameters, method, lineLevel) {
      const write = () => method.apply(this, parameters);
      const asked = leaveOut !== undefined && lineLevel <= (warn ?? 0);
      const fields = asked ? LineFields.safeParse(parameters[0]).data : undefined;
      if (fields === undefined || !leaveOut?.(fields, write)) write();
    },
  };
  return {
    logger: pino({ level, hooks }, destination),
    leaveOut: (given) => {
      leaveOut = given;
    },
  };
}

async function readableLines(): Promise<DestinationStream> {
  // Imported here, since programs without a terminal do not need it.
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    destination: stderr,
    // Otherwise the last lines before the process ends would be lost.
    sync: true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
  });
}
