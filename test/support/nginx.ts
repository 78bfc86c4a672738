import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AtEnd } from './at-end.ts';
import { type Certificate, makeCertificate } from './certificates.ts';
import { temporaryFolder } from './folder.ts';
import { freePort } from './free-port.ts';
import { isInstalled } from './installed.ts';

/** Whether `nginx` is on the PATH. */
export const nginxIsInstalled = isInstalled('nginx', '-v');

export interface Nginx {
  readonly port: number;
  /** Where plain HTTP is answered. */
  readonly plainPort: number;
  readonly certificate: Certificate;
}

/** Starts nginx by the configuration of docs/operations.md, in front of a port of this machine. */
export async function startDocumentedNginx(backend: number, atEnd: AtEnd): Promise<Nginx> {
  const folder = await nginxFolder(atEnd);
  const certificate = await makeCertificate(folder, 'nginx');
  const [port, plainPort] = [await freePort(), await freePort()];
  const documented = await documentedConfiguration('upstream bubble_im {');
  const replaced = [
    ['127.0.0.1:8787', `127.0.0.1:${backend}`],
    ['listen 80;', `listen 127.0.0.1:${plainPort};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    ['/etc/ssl/im.example.com.crt', certificate.certificate],
    ['/etc/ssl/im.example.com.key', certificate.key],
  ] as const;
  await runNginx(folder, adapted(documented, replaced), port, atEnd);
  return { port, plainPort, certificate };
}

/** The configuration in docs/operations.md that holds a text. */
async function documentedConfiguration(text: string): Promise<string> {
  const page = await readFile('docs/operations.md', 'utf8');
  const all = Array.from(page.matchAll(/```nginx\n(.*?)```/gs), ([, configuration = '']) => configuration);
  return all.find((configuration) => configuration.includes(text)) ?? '';
}

/** Starts nginx by the configuration of docs/operations.md for two processes of each kind. */
export async function startBalancingNginx(
  { api, gateway }: { readonly api: readonly number[]; readonly gateway: readonly number[] },
  atEnd: AtEnd,
): Promise<{ readonly port: number }> {
  const port = await freePort();
  const documented = await documentedConfiguration('upstream bubble_im_api {');
  const replaced = [
    ['10.0.0.1:8787', `127.0.0.1:${api[0]}`],
    ['10.0.0.2:8787', `127.0.0.1:${api[1]}`],
    ['10.0.0.1:8788', `127.0.0.1:${gateway[0]}`],
    ['10.0.0.2:8788', `127.0.0.1:${gateway[1]}`],
    ['listen 80;', `listen 127.0.0.1:${port};`],
  ] as const;
  // Refused connections are errors to nginx, and expected here.
  await runNginx(await nginxFolder(atEnd), adapted(documented, replaced), port, atEnd, 'crit');
  return { port };
}

/** Starts nginx by the configuration of docker-compose.yml, in front of an API and a gateway of this machine. */
export async function startComposedNginx(
  configuration: string,
  backends: { readonly api: number; readonly gateway: number },
  atEnd: AtEnd,
): Promise<{ readonly port: number }> {
  const port = await freePort();
  const replaced = [
    ['resolver 127.0.0.11 valid=2s;', ''],
    ['listen 80;', `listen 127.0.0.1:${port};`],
    ['http://$gateway:8787', `http://127.0.0.1:${backends.gateway}`],
    ['http://$api:8787', `http://127.0.0.1:${backends.api}`],
  ] as const;
  await runNginx(await nginxFolder(atEnd), adapted(configuration, replaced), port, atEnd);
  return { port };
}

async function nginxFolder(atEnd: AtEnd): Promise<string> {
  const folder = await temporaryFolder(atEnd);
  // Its workers may be another user's.
  await chmod(folder, 0o777);
  return folder;
}

function adapted(configuration: string, replaced: readonly (readonly [from: string, to: string])[]): string {
  return replaced.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the configuration has no ${from}`);
    return text.replace(from, to);
  }, configuration);
}

async function runNginx(
  folder: string,
  configuration: string,
  port: number,
  atEnd: AtEnd,
  logged: 'error' | 'crit' = 'error',
): Promise<void> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join('\n');
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${join(folder, 'pid')}; error_log stderr ${logged};
     events {} http { access_log off; ${temporary}\n${configuration} }`,
  );
  const nginx = spawn('nginx', ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  atEnd(async () => {
    if (nginx.exitCode !== null) return;
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
  });
  while (nginx.exitCode === null && !(await answers(port))) await delay(10);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy());
    socket.once('close', (failed) => resolve(!failed));
    socket.once('error', () => undefined);
  });
}
