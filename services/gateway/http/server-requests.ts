import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal, statusOf } from '../../../contracts/codes.ts';
import { isDeeperThan } from '../../../contracts/json-depth.ts';
import {
  ChannelName,
  EventName,
  maxFrameBytes,
  ServerToUserChannel,
  SocketId,
} from '../../../contracts/push/protocol.ts';

/** The largest body of a request, in bytes. */
export const maxBodyBytes = 2 * 1024 * 1024;
/** The largest page of the users on a presence channel, and its size if the request names none. */
const maxUsersPerPage = 10_000;
const maxChannelsPerEvent = 100;
const maxEventsPerBatch = 100;

const Target = z.union([ChannelName, ServerToUserChannel]);
const Name = EventName.refine((name) => !name.startsWith('pusher'), 'a name that begins with pusher is ours');
const Data = z.string().refine((data) => Buffer.byteLength(data) <= maxFrameBytes, 'data is too long');
const rest = { name: Name, data: Data, socket_id: SocketId.nullish(), info: z.string().nullish() };
const EventForOne = z.object({ ...rest, channel: Target });

/** The body of `POST /apps/{id}/events`. */
export const Events = z.union([
  z.object({ ...rest, channels: z.array(Target).min(1).max(maxChannelsPerEvent) }),
  EventForOne.transform(({ channel, ...event }) => ({ ...event, channels: [channel] })),
]);
export type Events = z.infer<typeof Events>;

/** The body of `POST /apps/{id}/batch_events`. */
export const Batch = z.object({ batch: z.array(EventForOne).min(1).max(maxEventsPerBatch) });

/** The query of the calls about channels. */
export const ChannelQuery = z.object({
  info: z.string().optional(),
  filter_by_prefix: z.string().max(200).optional(),
});

/** The query of the users on a channel: those whose id comes after `after`, the last id of the page before. */
export const UserPage = z.object({
  after: z.string().max(200).default(''),
  limit: z.coerce.number().int().min(1).max(maxUsersPerPage).default(maxUsersPerPage),
});

/** The path of a call about one user's connections. */
export const UserPath = z.object({ user: z.string().min(1).max(200) });

/** The attributes of a channel that a request asks for. */
export interface ChannelAttributes {
  readonly users: boolean;
  readonly subscriptions: boolean;
}

/** Reads the parameter `info`. Unknown attributes are ignored. */
export function attributesOf(info: string | null | undefined): ChannelAttributes {
  const names = (info ?? '').split(',').map((name) => name.trim());
  return { users: names.includes('user_count'), subscriptions: names.includes('subscription_count') };
}

/** A request that is refused with this status. */
export class RequestFault extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Reads a value by its schema. @throws RequestFault 400 that says what is wrong */
export function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RequestFault(400, z.prettifyError(result.error));
}

/** The channel in the path. @throws RequestFault 400 */
export function channelOf(request: FastifyRequest): string {
  return read(z.object({ channel: Target }), request.params).channel;
}

/** Reads the body as JSON. @throws RequestFault 400 if it is not JSON, or has too many levels */
export function jsonBody({ body }: FastifyRequest): unknown {
  try {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (isDeeperThan(text)) throw new RequestFault(400, 'the body is JSON of too many levels');
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof RequestFault ? error : new RequestFault(400, 'the body is no JSON');
  }
}

/** Answers an error: with its text if the caller caused it, else with 500 and an entry in the log. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const status = statusOfError(error);
  if (status >= 400 && status < 500) {
    const message = error instanceof Error ? error.message : '';
    reply.code(status).send({ error: message });
    return;
  }
  request.log.error({ err: error }, "a call of Pusher's HTTP API failed");
  reply.code(500).send({ error: 'unexpected' });
}

function statusOfError(error: unknown): number {
  if (error instanceof Refusal) return statusOf(error.reason);
  return error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
}
