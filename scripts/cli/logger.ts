import type { Logger } from 'pino';
import type { Environment } from '../../services/environment.ts';
import { openProgramLog } from '../../services/logger.ts';

/** The logger of a command, on stderr: what the program logs at `info` as it runs is none of a command's output. */
export async function openCommandLogger({ logLevel }: Pick<Environment, 'logLevel'>): Promise<Logger> {
  const { logger } = await openProgramLog(logLevel === 'info' ? 'warn' : logLevel);
  return logger;
}
