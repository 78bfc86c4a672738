import { constants } from 'node:os';
import type { Logger } from 'pino';
import { type Environment, readEnvironment } from './environment.ts';
import { reasonOf } from './error-reason.ts';
import { openProgramLog, type ProgramLog } from './logger.ts';

/** How a part of the program is ended. */
export interface Ending {
  /** Finishes running work, then ends. */
  stop(): Promise<void>;
  /** For an immediate exit: signals what must not outlive the process to end, without waiting. */
  abandon?(): void;
}

/** The parts of a running program, in the order in which they were started. */
export interface Lifecycle {
  /**
   * Starts the next part. It is stopped before all that were started earlier.
   * @throws what `begin` throws; `StartCancelled` when the program is asked to end meanwhile.
   */
  start<Part>(name: string, begin: () => Promise<Part>, ending: (part: Part) => Ending): Promise<Part>;
  /** Reports that a part cannot go on: the program stops its parts and exits with code 1. */
  fail(name: string, error: unknown): void;
  /** Whether the program was asked to end. */
  readonly ending: boolean;
}

/** The program was asked to end while it was starting. */
class StartCancelled extends Error {
  override readonly name = 'StartCancelled';
}

/** A program that is starting or runs. */
export interface Program extends Lifecycle {
  readonly environment: Environment;
  /** Writes to stderr; stdout is for messages to the person who starts the program. */
  readonly logger: Logger;
  readonly leaveOut: ProgramLog['leaveOut'];
}

export interface ProgramOptions {
  /** How long stopping all parts may take. */
  readonly stopTimeoutMs?: number;
}

/** SIGHUP comes when the terminal is closed; without a handler it would end the process at once, and leave its Postgres. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** A program started by npm gets Ctrl-C twice: from the terminal and from npm. The second within this time is ignored. */
const echoMs = 500;

/**
 * Reads the environment and runs a program of several parts until it is asked to end. At SIGTERM, SIGINT or SIGHUP the parts
 * are stopped in reverse order and the process exits with 0; a second signal ends it at once. A failure is
 * reported at the start in one line on stderr, later in the log; the parts are then stopped and the code is 1.
 */
export async function runProgram(
  start: (program: Program) => Promise<void>,
  { stopTimeoutMs = 30_000 }: ProgramOptions = {},
): Promise<never> {
  const environment = environmentOrExit();
  const { logger, leaveOut } = await openProgramLog(environment.logLevel);
  const parts: { name: string; ending: Ending }[] = [];
  let ending = false;
  let code = 0;
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();

  const exitNow = (exitCode: number): never => {
    for (const part of parts.toReversed()) part.ending.abandon?.();
    process.exit(exitCode);
  };
  const end = (exitCode: number) => {
    code = Math.max(code, exitCode);
    ending = true;
    ask();
  };
  let first: { signal: NodeJS.Signals; time: number } | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      const time = performance.now();
      if (first?.signal === signal && time - first.time < echoMs) return;
      first ??= { signal, time };
      if (ending) {
        logger.warn({ signal, parts: parts.map(({ name }) => name) }, 'second signal: ending at once');
        exitNow(128 + constants.signals[signal]);
      }
      logger.info({ signal }, 'ending');
      end(0);
    });
  }
  const crash = (error: unknown) => {
    logger.fatal({ err: error }, 'uncaught error: ending');
    end(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const program: Program = {
    environment,
    logger,
    leaveOut,
    get ending() {
      return ending;
    },
    async start(name, begin, endingOf) {
      if (ending) throw new StartCancelled();
      const part = await begin();
      parts.push({ name, ending: endingOf(part) });
      logger.debug({ part: name }, 'started');
      if (ending) throw new StartCancelled();
      return part;
    },
    fail(name, error) {
      logger.fatal({ err: error, part: name }, 'cannot go on: ending');
      end(1);
    },
  };

  try {
    await start(program);
  } catch (error) {
    if (!(error instanceof StartCancelled)) {
      process.stderr.write(`bubble-im: ${reasonOf(error)}\n`);
      logger.debug({ err: error }, 'the start failed');
      end(1);
    }
  }
  // Waiting for a signal does not keep a process alive.
  const alive = setInterval(() => {}, 2 ** 31 - 1);
  await asked;
  clearInterval(alive);

  const deadline = setTimeout(
    () => {
      logger.fatal({ part: parts.at(-1)?.name }, 'a part did not stop in time');
      exitNow(1);
    },
    stopTimeoutMs + environment.drainSeconds * 1000,
  );
  for (let part = parts.at(-1); part !== undefined; part = parts.at(-1)) {
    try {
      await part.ending.stop();
      logger.debug({ part: part.name }, 'stopped');
    } catch (error) {
      logger.error({ err: error, part: part.name }, 'a part failed to stop');
      part.ending.abandon?.();
      end(1);
    }
    parts.pop();
  }
  clearTimeout(deadline);
  process.exit(code);
}

function environmentOrExit(): Environment {
  try {
    return readEnvironment();
  } catch (error) {
    process.stderr.write(`bubble-im: ${reasonOf(error)}\n`);
    process.exit(1);
  }
}
