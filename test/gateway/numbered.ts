import { z } from 'zod';
import type { Client } from './client.ts';
import type { Installation } from './harness.ts';
import type { Push } from './push-writer.ts';

const Numbered = z.object({ number: z.number() });

/** The numbers in the received messages, in order; only those of `channel` if it is given. */
export function numbersOf(client: Client, channel?: string): number[] {
  return client.frames
    .filter((frame) => frame.event === 'message' && (channel === undefined || frame.channel === channel))
    .flatMap(({ data }) => Numbered.safeParse(data).data?.number ?? []);
}

/** A message with a number. */
export function numbered(channel: string, number: number): Push {
  return { channel, event: 'message', data: { number } };
}

/** Commits a message for each number from `first` to `last`. Returns their positions. */
export async function commitNumbers(
  installation: Installation,
  channel: string,
  first: number,
  last: number,
): Promise<string[]> {
  const positions: string[] = [];
  for (let number = first; number <= last; number++) {
    const committed = await installation.commit([numbered(channel, number)]);
    positions.push(...committed.positions);
  }
  return positions;
}
