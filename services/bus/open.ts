import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import type { Bus } from './bus.ts';
import { memoryBus } from './memory.ts';

/**
 * Opens the bus that the environment names: NATS, which connects the processes of an installation, else memory,
 * which connects the parts of this process.
 * @throws what connectNatsBus throws
 */
export async function openBus(
  { natsUrl, appId }: Pick<Environment, 'natsUrl' | 'appId'>,
  installation: string,
  logger: Logger,
): Promise<Bus> {
  if (natsUrl === undefined) return memoryBus(logger);
  // Loaded here, so that a program without NATS does not pay for its client.
  const { connectNatsBus } = await import('./nats.ts');
  return connectNatsBus({ url: natsUrl, prefix: appId, installation, logger });
}
