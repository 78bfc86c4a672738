import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal, statusOf } from '../../../contracts/codes.ts';
import { isDeeperThan } from '../../../contracts/json-limits.ts';
import { Target } from '../../../contracts/push/server-calls.ts';

/** The largest body of a request, in bytes. */
export const maxBodyBytes = 2 * 1024 * 1024;
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
