import { z } from 'zod';
import { pushCodes, readJson } from '../../contracts/push/protocol.ts';
import type { Closing } from './fuzz-socket.ts';

const Frame = z.looseObject({
  event: z.string().min(1),
  channel: z.string().optional(),
  data: z.union([z.string(), z.record(z.string(), z.unknown())]),
});
const ErrorData = z.object({ code: z.int().nullable(), message: z.string() });

/** Codes of the gateway; those with which ws closes on a protocol error, bad UTF-8 and a frame too large; a usual end. */
const known: ReadonlySet<number> = new Set([...Object.values(pushCodes), 1000, 1002, 1007, 1009]);

/** The event of a frame that has come, and what is wrong with it. */
export function judgeFrame(text: string): { readonly event: string; readonly fault?: string } {
  const frame = Frame.safeParse(readJson(text)).data;
  if (frame === undefined) return { event: 'unreadable', fault: 'a frame is no event with data' };
  const { event, data } = frame;
  if (event === 'pusher:error') {
    const error = ErrorData.safeParse(data).data;
    if (error === undefined || !known.has(error.code ?? 0))
      return { event, fault: 'an error frame has no known code' };
    return { event: `${event} ${error.code}` };
  }
  const isText = typeof data === 'string';
  if (isText === (event === 'pusher:pong'))
    return { event, fault: 'the data of a frame is of the wrong kind' };
  return { event };
}

/** What is wrong with how a socket was closed that the fuzzer did not close. */
export function judgeClosing({ code }: Closing): string | undefined {
  return known.has(code) ? undefined : `a socket was closed with ${code}`;
}
