import { execFileSync } from 'node:child_process';
import { appendFile, writeFile } from 'node:fs/promises';
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
  const { request, ...made } = await requestFor(folder, name);
  const parameters = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1`.split(' ');
  openssl(...parameters, '-config', request, '-keyout', made.key, '-out', made.certificate);
  return made;
}

/** The same of a certificate that was valid for one day of the year 2020. */
export async function makeExpiredCertificate(folder: string, name: string): Promise<Certificate> {
  const { request, ...made } = await requestFor(folder, name);
  const [signing, index, serial] = ['csr', 'index', 'serial'].map((kind) => join(folder, `${name}.${kind}`));
  const parameters = `req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes`.split(' ');
  openssl(...parameters, '-config', request, '-keyout', made.key, '-out', signing ?? '');
  await writeFile(index ?? '', '');
  await writeFile(serial ?? '', '01\n');
  await appendFile(
    request,
    `[ca]
default_ca = authority
[authority]
new_certs_dir = ${folder}
database = ${index}
serial = ${serial}
default_md = sha256
policy = any
[any]
commonName = supplied
`,
  );
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
  const files = ['-keyfile', made.key, '-in', signing ?? '', '-out', made.certificate];
  openssl(
    'ca',
    '-selfsign',
    '-batch',
    '-notext',
    '-config',
    request,
    '-extensions',
    'extensions',
    ...dates,
    ...files,
  );
  return made;
}

/** Writes what a certificate for this machine is to hold. */
async function requestFor(folder: string, name: string): Promise<Certificate & { readonly request: string }> {
  const file = (kind: string) => join(folder, `${name}.${kind}`);
  await writeFile(
    file('cnf'),
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
  return { certificate: file('crt'), key: file('key'), request: file('cnf') };
}

function openssl(...parameters: readonly string[]): void {
  execFileSync('openssl', parameters, { stdio: 'ignore' });
}
