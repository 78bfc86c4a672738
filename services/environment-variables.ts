import { z } from 'zod';
import { categories } from '../contracts/events/index.ts';
import { isAddressOrNetwork, type Proxies } from './edge/proxies.ts';

const LogLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']);
export type LogLevel = z.infer<typeof LogLevel>;

const httpProtocols = ['https:', 'http:'];
const shareRule = 'must be a number from 0 to 1';
const drainRule = 'must be a whole number of seconds from 0 to 60';
const portRule = 'must be a whole number from 0 to 65535';

const prefixRule = 'must be a letter, up to 30 letters, digits, _ or ., and a -, and no category of ours';

/** Several hosts in a connection string of Postgres, before the path or as its parameter `host`. */
const severalHosts = /^[^/]*\/\/(?:[^/?]*@)?[^/?@]*,[^/?@]*(?:[/?]|$)|[?&]host=[^&]*(?:,|%2c)/i;

const Variables = z.object({
  HOST: host().default('127.0.0.1'),
  PORT: port().default(8787),
  METRICS_HOST: host().default('127.0.0.1'),
  METRICS_PORT: port().optional(),
  TRUST_PROXY: z.string().transform(proxiesOf).optional(),
  DATA_DIR: z.string().default('./data'),
  DATABASE_URL: url(['postgres:', 'postgresql:']).refine(
    (value) => value === undefined || !severalHosts.test(value),
    'must name one host, the address that leads to the primary: hosts are not tried in turn',
  ),
  EVENTSTORE_URL: url(['esdb:', 'esdb+discover:', 'kurrentdb:', 'kurrentdb+discover:']),
  // Streams of a prefix such as user- would be read by an installation without one.
  STREAM_PREFIX: text(/^[A-Za-z][\w.]{0,30}-$/, prefixRule)
    .refine((prefix) => !categories.some((category) => prefix.startsWith(category)), prefixRule)
    .default(''),
  NATS_URL: url(['nats:', 'tls:']),
  // Key and id are used in URLs, the key before a colon in signatures; the secret in a header.
  APP_ID: text(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _').default('bubble-im'),
  APP_KEY: text(/^[\w-]{1,128}$/, 'must be 1 to 128 letters, digits, - or _').optional(),
  APP_SECRET: text(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 visible ASCII characters').optional(),
  S3_BUCKET: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket').optional(),
  S3_ENDPOINT: url(httpProtocols),
  S3_REGION: text(/^[a-z0-9-]{1,64}$/, 'must be the name of a region, such as eu-central-1').optional(),
  S3_PATH_STYLE: z.enum(['on', 'off'], 'must be on or off').optional(),
  ALIYUN_SMS_SIGN: z.string().optional(),
  ALIYUN_SMS_TEMPLATE: text(/^\w{1,64}$/, 'must be the code of a template, such as SMS_123456').optional(),
  ALIYUN_SMS_ENDPOINT: url(httpProtocols).default('https://dysmsapi.aliyuncs.com'),
  ALIBABA_CLOUD_ACCESS_KEY_ID: z.string().optional(),
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: z.string().optional(),
  DRAIN_SECONDS: text(/^\d{1,2}$/, drainRule)
    .transform(Number)
    .refine((seconds) => seconds <= 60, drainRule)
    .default(0),
  AUDIT: z.enum(['on', 'off'], 'must be on or off').default('on'),
  AUDIT_KEY: text(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64').optional(),
  AUDIT_ORIGIN: text(/^[^\s+\p{Cc}]{1,200}$/u, 'must be 1 to 200 characters without blanks and +').optional(),
  AUDIT_WITNESS: z.string().optional(),
  AUDIT_WITNESS_KEY: text(
    /^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/,
    'must be a verifier key: name+id+key',
  ).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(httpProtocols),
  OTEL_SERVICE_NAME: z.string().default('bubble-im'),
  OTEL_TRACES_SAMPLER_ARG: text(/^(0(\.\d+)?|1(\.0+)?)$/, shareRule)
    .transform(Number)
    .default(1),
  LOG_LEVEL: z.enum(LogLevel.options, `must be one of ${LogLevel.options.join(', ')}`).default('info'),
});

/** The names of all variables that the environment may give. */
export const variableNames: readonly string[] = Object.keys(Variables.shape);

/** Variables that require others. */
const companions: readonly (readonly [name: VariableName, needs: readonly VariableName[]])[] = [
  ['APP_KEY', ['APP_SECRET']],
  ['APP_SECRET', ['APP_KEY']],
  ['STREAM_PREFIX', ['EVENTSTORE_URL']],
  ['METRICS_HOST', ['METRICS_PORT']],
  ['S3_ENDPOINT', ['S3_BUCKET']],
  ['S3_REGION', ['S3_BUCKET']],
  ['S3_PATH_STYLE', ['S3_BUCKET']],
  [
    'ALIYUN_SMS_SIGN',
    ['ALIYUN_SMS_TEMPLATE', 'ALIBABA_CLOUD_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  ],
  ['ALIYUN_SMS_TEMPLATE', ['ALIYUN_SMS_SIGN']],
  ['ALIYUN_SMS_ENDPOINT', ['ALIYUN_SMS_SIGN']],
  ['AUDIT_WITNESS_KEY', ['AUDIT_WITNESS']],
];
type VariableName = keyof typeof Variables.shape;

/** Variables whose values error messages may contain; the others may contain secrets. */
const printable = new Set([
  'HOST',
  'PORT',
  'TRUST_PROXY',
  'LOG_LEVEL',
  'DRAIN_SECONDS',
  'METRICS_HOST',
  'METRICS_PORT',
  'APP_ID',
  'STREAM_PREFIX',
  'S3_BUCKET',
  'S3_REGION',
  'S3_PATH_STYLE',
  'AUDIT',
  'AUDIT_ORIGIN',
  'AUDIT_WITNESS_KEY',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER_ARG',
]);

/** What is wrong with the variables that are given: a text for each fault, none if all can be read. */
export function environmentFaults(environment: Readonly<Record<string, string | undefined>>): string[] {
  return parseVariables(environment).faults;
}

export type ReadVariables = z.infer<typeof Variables>;

/** Reads the variables of ours; an empty one counts as not given. Without data there is at least one fault. */
export function parseVariables(environment: Readonly<Record<string, string | undefined>>): {
  readonly data: ReadVariables | undefined;
  readonly faults: string[];
} {
  const given = Object.fromEntries(
    Object.keys(Variables.shape)
      .map((name) => [name, environment[name]])
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const { data, error } = Variables.safeParse(given);
  return {
    data,
    faults: [...(error?.issues ?? []).map((issue) => explain(issue, given)), ...missing(given)],
  };
}

/** Errors about variables that are given without the ones they require. */
function missing(given: Readonly<Record<string, unknown>>): string[] {
  const found = companions.flatMap(([name, needs]) => {
    const lacking = needs.filter((needed) => !(needed in given));
    return name in given && lacking.length > 0 ? [`${name} needs ${lacking.join(' and ')} beside it`] : [];
  });
  const unknownWitness =
    webAddress.test(String(given.AUDIT_WITNESS ?? '')) && !('AUDIT_WITNESS_KEY' in given);
  return unknownWitness ? [...found, 'a URL as AUDIT_WITNESS needs AUDIT_WITNESS_KEY beside it'] : found;
}

/** The addresses of witnesses that are asked over HTTP; anything else is a file. */
export const webAddress = /^https?:\/\//;

/** A number of proxies, or a comma-separated list of addresses and networks. */
function proxiesOf(value: string, context: z.RefinementCtx): Proxies {
  if (/^\d{1,2}$/.test(value)) return Number(value);
  const networks = value.split(',').map((network) => network.trim());
  if (networks.every(isAddressOrNetwork)) return networks;
  context.addIssue('must be a number of proxies, or addresses and networks such as 10.0.0.0/8');
  return z.NEVER;
}

function host() {
  return text(/^[A-Za-z0-9.:_%-]+$/, 'must be an address or a host name');
}

function port() {
  return text(/^\d{1,5}$/, portRule)
    .transform(Number)
    .refine((number) => number <= 65_535, portRule);
}

function text(pattern: RegExp, rule: string) {
  return z.string().regex(pattern, rule);
}

/** One URL, or several separated by commas, for clusters. */
function url(protocols: readonly string[]) {
  const rule = `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  return z
    .string()
    .refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}//`)), rule)
    .optional();
}

function explain(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const name = String(issue.path[0]);
  return `${name} ${issue.message}${printable.has(name) ? `, not ${JSON.stringify(given[name])}` : ''}`;
}
