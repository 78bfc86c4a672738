import { chown } from 'node:fs/promises';
import { pino } from 'pino';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../services/postgres/embedded/embedded.ts';
import type { AtEnd } from './at-end.ts';
import type { Certificate } from './certificates.ts';
import { freePort } from './free-port.ts';

/** Starts a Postgres that also listens on a port of this machine, with a certificate. It is stopped at the end. */
export async function startPostgresOverTls(
  folder: string,
  { certificate, key }: Certificate,
  atEnd: AtEnd,
): Promise<{ postgres: EmbeddedPostgres; port: number }> {
  // As root the server runs as nobody, and takes a key only from its own user.
  if (process.getuid?.() === 0) await chown(key, 65534, 65534);
  const port = await freePort();
  const postgres = await startEmbeddedPostgres({
    folder,
    logger: pino({ level: 'silent' }),
    settings: {
      ...{ fsync: 'off', listen_addresses: '127.0.0.1', port: String(port) },
      ...{ ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key },
    },
  });
  atEnd(() => postgres.stop());
  return { postgres, port };
}
