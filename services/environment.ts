import { resolve } from 'node:path';
import { z } from 'zod';

/** All that the environment decides. Other files are handed this and never look at the environment. */
export interface Environment {
  /** The address to listen on. */
  readonly host: string;
  /** The port of API and websocket; 0 takes any that is free. */
  readonly port: number;
  /** Where all data lie; absolute. */
  readonly dataFolder: string;
  /** A Postgres, an EventStoreDB, a NATS server of one's own in place of the built-in ones. */
  readonly databaseUrl: string | undefined;
  readonly eventStoreUrl: string | undefined;
  readonly natsUrl: string | undefined;
  readonly appId: string;
  /** The server's key; where not given it is made and kept in the data folder. */
  readonly appKey: string | undefined;
  readonly appSecret: string | undefined;
  readonly logLevel: LogLevel;
}

const LogLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']);
export type LogLevel = z.infer<typeof LogLevel>;

/** What stands in a variable is wrong. Its message names each such variable, in one line. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

const portRule = 'must be a whole number from 0 to 65535';

const Variables = z.object({
  HOST: text(/^[A-Za-z0-9.:_%-]+$/, 'must be an address or a host name').default('127.0.0.1'),
  PORT: text(/^\d{1,5}$/, portRule)
    .transform(Number)
    .refine((port) => port <= 65_535, portRule)
    .default(8787),
  DATA_DIR: z.string().default('./data'),
  DATABASE_URL: url(['postgres:', 'postgresql:']),
  EVENTSTORE_URL: url(['esdb:', 'esdb+discover:', 'kurrentdb:', 'kurrentdb+discover:']),
  NATS_URL: url(['nats:', 'tls:']),
  // Key and id stand in URLs, and the key before a colon in signatures; the secret stands in a header.
  APP_ID: text(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _').default('bubble-im'),
  APP_KEY: text(/^[\w-]{1,128}$/, 'must be 1 to 128 letters, digits, - or _').optional(),
  APP_SECRET: text(/^[\x21-\x7e]{1,256}$/, 'must be 1 to 256 visible ASCII characters').optional(),
  LOG_LEVEL: z.enum(LogLevel.options, `must be one of ${LogLevel.options.join(', ')}`).default('info'),
});

/** What may be repeated to whoever reads the error; the others may hold a secret. */
const showable = new Set(['HOST', 'PORT', 'LOG_LEVEL', 'APP_ID']);

/**
 * Reads the environment, that of the process where no other is given. An empty variable counts as not given.
 * @throws EnvironmentError
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const given = Object.fromEntries(
    Object.keys(Variables.shape)
      .map((name) => [name, environment[name]])
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const { data, error } = Variables.safeParse(given);
  if (error !== undefined)
    throw new EnvironmentError(error.issues.map((issue) => explain(issue, given)).join('; '));
  return {
    host: data.HOST,
    port: data.PORT,
    dataFolder: resolve(data.DATA_DIR),
    databaseUrl: data.DATABASE_URL,
    eventStoreUrl: data.EVENTSTORE_URL,
    natsUrl: data.NATS_URL,
    appId: data.APP_ID,
    appKey: data.APP_KEY,
    appSecret: data.APP_SECRET,
    logLevel: data.LOG_LEVEL,
  };
}

function text(pattern: RegExp, rule: string) {
  return z.string().regex(pattern, rule);
}

/** One URL, or several with commas between, as clusters are named. */
function url(protocols: readonly string[]) {
  const rule = `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  return z
    .string()
    .refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}//`)), rule)
    .optional();
}

function explain(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const name = String(issue.path[0]);
  return `${name} ${issue.message}${showable.has(name) ? `, not ${JSON.stringify(given[name])}` : ''}`;
}
