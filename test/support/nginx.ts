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
  const folder = await temporaryFolder(atEnd);
  // Its workers may be another user's.
  await chmod(folder, 0o777);
  const certificate = await makeCertificate(folder, 'nginx');
  const [port, plainPort] = [await freePort(), await freePort()];
  const documented = /```nginx\n(.*?)```/s.exec(await readFile('docs/operations.md', 'utf8'))?.[1] ?? '';
  const replaced = [
    ['127.0.0.1:8787', `127.0.0.1:${backend}`],
    ['listen 80;', `listen 127.0.0.1:${plainPort};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    ['/etc/ssl/im.example.com.crt', certificate.certificate],
    ['/etc/ssl/im.example.com.key', certificate.key],
  ] as const;
  let configuration = documented;
  for (const [from, to] of replaced) {
    if (!configuration.includes(from)) throw new Error(`the configuration has no ${from}`);
    configuration = configuration.replace(from, to);
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join('\n');
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${join(folder, 'pid')}; error_log stderr error;
     events {} http { access_log off; ${temporary}\n${configuration} }`,
  );
  const nginx = spawn('nginx', ['-c', file, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  atEnd(async () => {
    if (nginx.exitCode !== null) return;
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
  });
  while (nginx.exitCode === null && !(await answers(port))) await delay(10);
  return { port, plainPort, certificate };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy());
    socket.once('close', (failed) => resolve(!failed));
    socket.once('error', () => undefined);
  });
}
