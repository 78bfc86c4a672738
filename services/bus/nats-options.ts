import { type ConnectionOptions, ErrorCode, NatsError } from 'nats';
import { errorCode } from '../error-code.ts';

/** The pause between two attempts to connect. */
export const reconnectPauseMs = 200;

/** How long connecting may take, and how long a start waits for it. */
export const connectTimeoutMs = 3_000;

/** Errors that retrying does not solve. */
const permanentErrors: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.BadAuthentication,
  ErrorCode.BadCreds,
  ErrorCode.InvalidOption,
]);

/** Options of the client, which by default reads no credentials from a URL, waits long for a dead server and gives up. */
export function connectionOptions(url: string): ConnectionOptions {
  const urls = url.split(',').map((each) => new URL(each.trim()));
  const [first] = urls;
  const user = decodeURIComponent(first?.username ?? '');
  const pass = decodeURIComponent(first?.password ?? '');
  const credentials = pass === '' ? (user === '' ? {} : { token: user }) : { user, pass };
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || 4222}`),
    name: 'bubble-im',
    noEcho: true,
    ignoreAuthErrorAbort: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectPauseMs,
    reconnectJitter: 100,
    timeout: connectTimeoutMs,
    pingInterval: 2_000,
    maxPingOut: 2,
    ...credentials,
    ...(urls.some(({ protocol }) => protocol === 'tls:') ? { tls: {} } : {}),
  };
}

/** The error to throw if connecting failed for a reason that retrying does not solve; else undefined. */
export function permanentFailure(error: unknown): Error | undefined {
  if (error instanceof NatsError && permanentErrors.has(error.code)) {
    return new Error(`NATS refuses the connection: ${error.message}`, { cause: error });
  }
  if (error instanceof NatsError && error.code === ErrorCode.ServerOptionNotAvailable) {
    return new Error(`NATS does not offer ${error.message}: it is too old, or tls:// in NATS_URL is wrong`, {
      cause: error,
    });
  }
  if (isOfCertificate(error)) {
    return new Error(`the certificate of NATS is not trusted: ${error.message}`, { cause: error });
  }
  return undefined;
}

/** Whether the server's certificate was rejected, by Node's error codes. */
function isOfCertificate(error: unknown): error is Error {
  return error instanceof Error && /CERT|LEAF_SIGNATURE/.test(errorCode(error) ?? '');
}
