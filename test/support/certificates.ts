import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isInstalled } from './installed.ts';

/** Files of a certificate for `localhost` and 127.0.0.1, which is its own authority. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Whether `openssl` is on the PATH. */
export const opensslIsInstalled = isInstalled('openssl', 'version');

/** Makes a certificate of a day in a folder, under a name. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const request = join(folder, `${name}.cnf`);
  await writeFile(
    request,
    `[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
[subject]
CN = ${name}
[extensions]
subjectAltName = DNS:localhost, IP:127.0.0.1
basicConstraints = critical, CA:true
`,
  );
  const parameters = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1`.split(' ');
  execFileSync('openssl', [...parameters, '-config', request, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  return { certificate, key };
}
