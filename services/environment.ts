import { resolve } from 'node:path';
import type { Proxies } from './edge/proxies.ts';
import { type LogLevel, parseVariables, type ReadVariables, webAddress } from './environment-variables.ts';

/** Everything that environment variables decide. Other files get this and do not read variables. */
export interface Environment {
  /** The address to listen on. */
  readonly host: string;
  /** The port of API and websocket; 0 means any free port. */
  readonly port: number;
  /** The proxies in front whose headers about the client are trusted. */
  readonly trustProxy: Proxies | undefined;
  /** The absolute path of the folder for all data. */
  readonly dataFolder: string;
  /** External servers (Postgres, EventStoreDB, NATS) to use instead of the built-in ones. */
  readonly databaseUrl: string | undefined;
  readonly eventStoreUrl: string | undefined;
  /** The beginning of the names of our streams in an EventStoreDB that we share with others; may be empty. */
  readonly streamPrefix: string;
  readonly natsUrl: string | undefined;
  readonly appId: string;
  /** The server's key; if not given, it is created and stored in the data folder. */
  readonly appKeys: KeyPair | undefined;
  /** A bucket for uploads, instead of the data folder. */
  readonly bucket: Bucket | undefined;
  /** The account that sends SMS; without it they go to the development inbox. */
  readonly aliyunSms: AliyunSms | undefined;
  /** How long `/ready` says 503 before the program stops listening, in seconds. */
  readonly drainSeconds: number;
  /** Whether this program keeps the index of the log. */
  readonly audit: boolean;
  /** Where `/metrics` is served; undefined if it is not. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Where traces are sent; undefined if requests are not traced. */
  readonly tracing: Tracing | undefined;
  /** The key that signs heads of the audit log; one that is not given is made and kept in the data folder. */
  readonly auditKey: string | undefined;
  /** The name of the audit log. */
  readonly auditOrigin: string;
  readonly auditWitness: AuditWitness | undefined;
  readonly logLevel: LogLevel;
}

/** A public key and the secret that proves its possession. */
export interface KeyPair {
  readonly key: string;
  readonly secret: string;
}

/** A collector of OpenTelemetry, and what it gets. */
export interface Tracing {
  /** Where spans are posted, by OTLP in JSON. */
  readonly url: string;
  readonly serviceName: string;
  /** Which part of all requests is traced, from 0 to 1. */
  readonly share: number;
}

/** Where heads of the audit log are sent: to a witness, by whose key they are cosigned, or to a file. */
export type AuditWitness = { readonly url: string; readonly verifierKey: string } | { readonly file: string };

/** A bucket of Amazon S3, or of another store with the same protocol. */
export interface Bucket {
  readonly name: string;
  /** The URL of the store if it is not Amazon's. */
  readonly endpoint: string | undefined;
  /** If not given, the SDK finds it as it does the credentials. */
  readonly region: string | undefined;
  /** Whether URLs have the bucket in the path instead of the host name. */
  readonly pathStyle: boolean;
}

/** An account at Aliyun with the signature and template of its messages. */
export interface AliyunSms {
  readonly accessKey: KeyPair;
  readonly sign: string;
  readonly template: string;
  readonly endpoint: string;
}

/** Variables have illegal values. The message names each of them, in one line. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * Reads the environment, by default that of the process. An empty variable counts as not given.
 * @throws EnvironmentError
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const { data, faults } = parseVariables(environment);
  if (data === undefined || faults.length > 0) throw new EnvironmentError(faults.join('; '));
  return {
    host: data.HOST,
    port: data.PORT,
    trustProxy: data.TRUST_PROXY,
    dataFolder: resolve(data.DATA_DIR),
    databaseUrl: data.DATABASE_URL,
    eventStoreUrl: data.EVENTSTORE_URL,
    streamPrefix: data.STREAM_PREFIX,
    natsUrl: data.NATS_URL,
    appId: data.APP_ID,
    appKeys: pairOf(data.APP_KEY, data.APP_SECRET),
    bucket: bucketOf(data),
    aliyunSms: aliyunSmsOf(data),
    drainSeconds: data.DRAIN_SECONDS,
    audit: data.AUDIT === 'on',
    metrics:
      data.METRICS_PORT === undefined ? undefined : { host: data.METRICS_HOST, port: data.METRICS_PORT },
    tracing: tracingOf(data),
    auditKey: data.AUDIT_KEY,
    auditOrigin: data.AUDIT_ORIGIN ?? `bubble-im/${data.APP_ID}`,
    auditWitness: auditWitnessOf(data),
    logLevel: data.LOG_LEVEL,
  };
}

/** All variables of the process, for who looks for those that nobody reads. */
export function processVariables(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

function pairOf(key: string | undefined, secret: string | undefined): KeyPair | undefined {
  return key === undefined || secret === undefined ? undefined : { key, secret };
}

function bucketOf({ S3_BUCKET: name, S3_ENDPOINT: endpoint, ...read }: ReadVariables): Bucket | undefined {
  if (name === undefined) return undefined;
  // Most other stores have neither regions nor a host for each bucket.
  const elsewhere = endpoint !== undefined;
  const region = read.S3_REGION ?? (elsewhere ? 'us-east-1' : undefined);
  return { name, endpoint, region, pathStyle: (read.S3_PATH_STYLE ?? (elsewhere ? 'on' : 'off')) === 'on' };
}

function tracingOf(read: ReadVariables): Tracing | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: serviceName } = read;
  if (endpoint === undefined) return undefined;
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  return { url, serviceName, share: read.OTEL_TRACES_SAMPLER_ARG };
}

function auditWitnessOf({
  AUDIT_WITNESS: given,
  AUDIT_WITNESS_KEY: key,
}: ReadVariables): AuditWitness | undefined {
  if (given === undefined) return undefined;
  if (!webAddress.test(given)) return { file: resolve(given) };
  return key === undefined ? undefined : { url: given.replace(/\/+$/, ''), verifierKey: key };
}

function aliyunSmsOf(read: ReadVariables): AliyunSms | undefined {
  const { ALIYUN_SMS_SIGN: sign, ALIYUN_SMS_TEMPLATE: template, ALIYUN_SMS_ENDPOINT: endpoint } = read;
  const accessKey = pairOf(read.ALIBABA_CLOUD_ACCESS_KEY_ID, read.ALIBABA_CLOUD_ACCESS_KEY_SECRET);
  if (accessKey === undefined || sign === undefined || template === undefined) return undefined;
  return { accessKey, sign, template, endpoint };
}
