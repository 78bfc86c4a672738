import { once } from 'node:events';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { reasonOf } from '../../services/error-reason.ts';
import { type Finding, findings } from './finding.ts';

/** What a server wants before TLS begins. */
export type Preamble = 'none' | 'postgres' | 'nats';

export interface TlsServer {
  /** As findings name it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly preamble?: Preamble;
}

const timeoutMs = 5_000;

/** Authorities renew certificates a month before they expire; one with fewer days left was not renewed. */
const warningDays = 14;
const dayMs = 86_400_000;

/** Postgres' request to begin TLS, which it answers by one byte. */
const postgresRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** What OpenSSL says of an answer that is not of TLS. */
const noTls = new Set<unknown>(['ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO']);

/** Until when a server's certificate is valid. Whether it is trusted is judged by the program's own connection. */
export async function examineCertificate(server: TlsServer): Promise<Finding> {
  const { ok, warning, fault } = findings('certificate');
  let until: Date;
  try {
    until = await validUntil(server);
  } catch (error) {
    const plain = error instanceof Error && 'code' in error && noTls.has(error.code);
    const why = plain ? 'it does not speak TLS' : reasonOf(error);
    return fault(
      `that of ${server.name} cannot be read: ${why}`,
      'have the server speak TLS, or correct its address',
    );
  }
  const day = until.toISOString().slice(0, 10);
  const left = until.getTime() - Date.now();
  if (left <= 0) return fault(`that of ${server.name} expired on ${day}`, 'renew it');
  const days = Math.floor(left / dayMs);
  const found = `that of ${server.name} is valid until ${day}`;
  return days < warningDays ? warning(`${found}, ${days} days`, 'renew it') : ok(found);
}

async function validUntil({ host, port, preamble = 'none' }: TlsServer): Promise<Date> {
  const plain = connectPlain({ host, port });
  plain.setTimeout(timeoutMs, () => plain.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  try {
    await once(plain, 'connect');
    await begin(plain, preamble);
    // Expired and strange certificates are shown too.
    const secure = connectTls({
      socket: plain,
      rejectUnauthorized: false,
      // EventStoreDB and web servers ask what is spoken over TLS.
      ...(preamble === 'none' ? { ALPNProtocols: ['h2', 'http/1.1'] } : {}),
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    await once(secure, 'secureConnect');
    const { valid_to: until } = secure.getPeerCertificate();
    secure.destroy();
    return new Date(until);
  } finally {
    plain.destroy();
  }
}

async function begin(socket: Socket, preamble: Preamble): Promise<void> {
  if (preamble === 'none') return;
  if (preamble === 'postgres') socket.write(postgresRequest);
  // Postgres answers; NATS says INFO by itself.
  const [answer] = await once(socket, 'data');
  if (preamble === 'postgres' && String(answer) !== 'S') throw new Error('it does not speak TLS');
}
