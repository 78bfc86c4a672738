import { constants } from 'node:os';
import type { Logger } from 'pino';
import { type Environment, readEnvironment } from './environment.ts';
import { openProgramLog, type ProgramLog } from './logger.ts';

/** How a part of the program ends. */
export interface Ending {
  /** In good order: what is under way is finished first. */
  stop(): Promise<void>;
  /** For the exit at once: what must not outlive the process is told to end, without waiting. */
  abandon?(): void;
}

/** The parts of a running program, in the order in which they were started. */
export interface Lifecycle {
  /**
   * Starts the next part. It is stopped before all that were started earlier.
   * @throws what `begin` throws; `StartCancelled` when the program is asked to end meanwhile.
   */
  start<Part>(name: string, begin: () => Promise<Part>, ending: (part: Part) => Ending): Promise<Part>;
  /** A part cannot go on: the program drains and ends with a code that says so. */
  fail(name: string, error: unknown): void;
  /** Whether the program was asked to end. */
  readonly ending: boolean;
}

/** The program was asked to end while it was starting. */
export class StartCancelled extends Error {
  override readonly name = 'StartCancelled';
}

/** A program that is starting or runs. */
export interface Program extends Lifecycle {
  readonly environment: Environment;
  /** Writes to stderr; stdout is for what the program tells whoever started it. */
  readonly logger: Logger;
  readonly leaveOut: ProgramLog['leaveOut'];
}

export interface ProgramOptions {
  /** How long the drain may take as a whole. */
  readonly drainMilliseconds?: number;
}

const signals = ['SIGTERM', 'SIGINT'] as const;

/** Ctrl-C reaches a program that npm has started twice: from the terminal, and passed on by npm. */
const echoMilliseconds = 500;

/**
 * Reads the environment and runs a program of several parts until it is asked to end. SIGTERM or SIGINT: the parts are stopped
 * in reverse order and the process ends with 0; a second signal ends it at once. What fails is named:
 * at the start in one line on stderr, later in the log; the parts are then stopped and the code is 1.
 */
export async function runProgram(
  start: (program: Program) => Promise<void>,
  { drainMilliseconds = 30_000 }: ProgramOptions = {},
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
      if (first?.signal === signal && time - first.time < echoMilliseconds) return;
      first ??= { signal, time };
      if (ending) {
        logger.warn({ signal, parts: parts.map(({ name }) => name) }, 'asked again: ending at once');
        exitNow(128 + constants.signals[signal]);
      }
      logger.info({ signal }, 'ending');
      end(0);
    });
  }
  const crash = (error: unknown) => {
    logger.fatal({ err: error }, 'an error that nothing caught: ending');
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
      process.stderr.write(`bubble-im: ${explain(error)}\n`);
      logger.debug({ err: error }, 'the start failed');
      end(1);
    }
  }
  // Waiting for a signal alone does not keep a process alive.
  const alive = setInterval(() => {}, 2 ** 31 - 1);
  await asked;
  clearInterval(alive);

  const deadline = setTimeout(
    () => {
      logger.fatal({ part: parts.at(-1)?.name }, 'does not end: giving up on it');
      exitNow(1);
    },
    drainMilliseconds + environment.drainSeconds * 1000,
  );
  for (let part = parts.at(-1); part !== undefined; part = parts.at(-1)) {
    try {
      await part.ending.stop();
      logger.debug({ part: part.name }, 'stopped');
    } catch (error) {
      logger.error({ err: error, part: part.name }, 'did not stop in good order');
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
    process.stderr.write(`bubble-im: ${explain(error)}\n`);
    process.exit(1);
  }
}

/** An error with its causes, as far as they tell more, in one line. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : explain(error.cause);
  const message = error.message || ('code' in error ? String(error.code) : error.name);
  return (cause === '' || message.includes(cause) ? message : `${message} (${cause})`).replaceAll(
    /\s*\n\s*/g,
    ' ',
  );
}
