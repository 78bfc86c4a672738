import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { afterAllTests } from '../support/at-end.ts';
import { opensslIsInstalled } from '../support/certificates.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Nginx, nginxIsInstalled, startDocumentedNginx } from '../support/nginx.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { runScript } from '../support/script.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';
import { about, examined, faultsOf } from './doctor-harness.ts';

describe('of a program that runs the doctor', () => {
  const atEnd = afterAllTests();
  let folder: string;
  let bubble: Standalone;
  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    ...{ DATA_DIR: folder, PORT: String(bubble.port) },
    ...more,
  });

  beforeAll(async () => {
    folder = await preparedFolder(atEnd);
    bubble = await startStandalone(folder, { TRUST_PROXY: '1' }, atEnd);
  });

  test('finds no fault, and says that the log and the read models agree', async () => {
    const found = await examined(environment());
    expect(faultsOf(found)).toEqual([]);
    expect(about('port', found)).toEqual([expect.stringContaining('is served by bubble-im')]);
    expect(about('ready', found)).toEqual([
      expect.stringMatching(/^ok: (\w+, )*log, database, (\w+, )*bus, /),
    ]);
    expect(about('data folder', found)).toEqual([
      expect.stringContaining(`in use by the process ${bubble.program.pid}`),
    ]);
    expect(about('open files', found)).toEqual([
      expect.stringContaining(`the process ${bubble.program.pid} may open`),
    ]);
    expect(about('migrations', found)).toEqual(['ok: all are applied']);
    expect(about('log', found)).toContainEqual(
      expect.stringMatching(/^ok: it is that of the installation [0-9a-f]{12}, epoch/),
    );
    expect(about('lag', found)).toEqual(['ok: the read models show all events of the log']);
  });

  test('tries the way of clients by the address that it is given', async () => {
    const found = await examined(environment(), bubble.url);
    // A number of proxies is believed, and here nothing is in front that would set the header.
    expect(faultsOf(found)).toEqual([
      'proxy: it passes X-Forwarded-Host of clients through, and the program believes it',
      'proxy: the program believes an address that a client names in X-Forwarded-For: limits by address do not hold',
    ]);
    expect(about('proxy', found)).toContain('ok: it opens websockets');
    const elsewhere = await examined(environment(), 'http://127.0.0.1:1');
    expect(faultsOf(elsewhere)).toEqual([
      expect.stringMatching(/^proxy: http:\/\/127\.0\.0\.1:1 does not lead to bubble-im: /),
    ]);
  });

  test('sends no key over an open line, and warns of it', async () => {
    const found = await examined(environment({ TRUST_PROXY: '1' }), `http://0.0.0.0:${bubble.port}`);
    expect(about('proxy', found)).toContainEqual(
      expect.stringMatching(/^warning: http:\/\/0\.0\.0\.0:\d+ is not encrypted/),
    );
  });

  test('warns of a number of proxies in front of a port that everybody reaches', async () => {
    const open = await examined(environment({ HOST: '0.0.0.0', TRUST_PROXY: '1' }));
    expect(about('proxy', open)).toEqual([expect.stringContaining('warning: 1 in a row are believed')]);
    const everybody = await examined(environment({ HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.1,128.0.0.0/1' }));
    expect(about('proxy', everybody)).toEqual([
      expect.stringContaining('warning: 10.0.0.1, 128.0.0.0/1 are believed'),
    ]);
  });

  test('says that another installation answers at the public address', async () => {
    const others = environment({ APP_KEY: 'another', APP_SECRET: 'x'.repeat(32) });
    expect(faultsOf(await examined(others, bubble.url))).toContainEqual(
      expect.stringMatching(/^proxy: .* refuses the server’s key of this installation/),
    );
  });

  describe.skipIf(!nginxIsInstalled || !opensslIsInstalled)(
    'behind nginx (needs nginx, openssl)',
    { timeout: 60_000 },
    () => {
      /** What the doctor says of the proxy, and of the certificate, which it trusts. */
      const doctor = async ({ port, certificate }: Nginx, variables: Readonly<Record<string, string>>) => {
        const trusted = { ...variables, NODE_EXTRA_CA_CERTS: certificate.certificate };
        const { stdout } = await runScript('doctor', ['--public', `https://localhost:${port}`], trusted);
        return stdout.split('\n').filter((line) => / {2}(proxy|certificate) /.test(line));
      };

      test('finds no fault if TRUST_PROXY names it', async () => {
        const nginx = await startDocumentedNginx(bubble.port, onTestFinished);
        const good = await doctor(nginx, environment({ TRUST_PROXY: '1' }));
        expect(good.filter((line) => line.startsWith('FAULT'))).toEqual([]);
        expect(good).toContainEqual(
          expect.stringContaining(`wss://localhost:${nginx.port} for the websocket`),
        );
        expect(good).toContainEqual(expect.stringContaining('it takes uploads of 50 MB'));
        expect(good).toContainEqual(expect.stringContaining('each client counts with its own address'));
        expect(good).toContainEqual(expect.stringMatching(/^warning {2}certificate .* is valid until/));
      });

      test('names it if TRUST_PROXY does not', async () => {
        const unnamedFolder = await preparedFolder();
        const unnamed = await startStandalone(unnamedFolder);
        const lone = await startDocumentedNginx(unnamed.port, onTestFinished);
        const bad = await doctor(lone, { DATA_DIR: unnamedFolder, PORT: String(unnamed.port) });
        expect(bad).toContainEqual(expect.stringMatching(/^FAULT .*clients are sent to ws:.*TRUST_PROXY/));
        expect(bad).toContainEqual(
          expect.stringMatching(/^FAULT .* by a proxy at 127\.0\.0\.1 .*: name 127\.0\.0\.1 in TRUST_PROXY$/),
        );
      });
    },
  );
});

/** Whether a small file system in memory can be mounted, as by root outside of most containers. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!canMount())(
  'of a disk that is almost full the doctor says that uploads are refused (needs the right to mount)',
  async () => {
    const folder = await temporaryFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
    onTestFinished(() => void execFileSync('umount', [folder]));
    expect(faultsOf(await examined({ DATA_DIR: folder }))).toEqual([
      expect.stringMatching(/^disk: 2\.\d+ MB are free for .*: uploads are refused \(507\)$/),
    ]);
  },
);
