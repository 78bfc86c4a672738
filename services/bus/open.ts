import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import type { Bus } from './bus.ts';
import { memoryBus } from './memory.ts';
import { connectNatsBus } from './nats.ts';

/**
 * Opens the bus that the environment names: NATS, where the processes of one installation hear each other, else
 * memory, where a process hears itself.
 */
export async function openBus(
  { natsUrl, appId }: Pick<Environment, 'natsUrl' | 'appId'>,
  installation: string,
  logger: Logger,
): Promise<Bus> {
  return natsUrl === undefined
    ? memoryBus(logger)
    : connectNatsBus({ url: natsUrl, prefix: appId, installation, logger });
}
