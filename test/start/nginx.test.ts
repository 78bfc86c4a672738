import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { afterAllTests } from '../support/at-end.ts';
import { opensslIsInstalled } from '../support/certificates.ts';
import { patiently } from '../support/conversation.ts';
import { type Nginx, nginxIsInstalled, startDocumentedNginx } from '../support/nginx.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

const Answer = z.looseObject({ code: z.int(), data: z.unknown().optional() });

describe.skipIf(!nginxIsInstalled || !opensslIsInstalled)(
  'behind nginx, as docs/operations.md configures it (needs nginx, openssl)',
  () => {
    const atEnd = afterAllTests();
    let bubble: Standalone;
    let nginx: Nginx;
    /** A client that is not at the address of the proxy. */
    let client: { ca: Buffer; localAddress: string; servername: string };
    beforeAll(async () => {
      bubble = await startStandalone(await preparedFolder(atEnd), { TRUST_PROXY: '127.0.0.1' }, atEnd);
      nginx = await startDocumentedNginx(bubble.port, atEnd);
      const ca = await readFile(nginx.certificate.certificate);
      client = { ca, localAddress: '127.0.0.2', servername: 'localhost' };
      await bubble.call('/api/user/add', 'server', {
        username: 'tom',
        nickname: '猫猫',
        password: 'secret-1',
      });
    });

    async function ask(path: string, headers: Record<string, string> = {}, body?: Buffer | string) {
      const asking = request({
        ...{ ...client, host: '127.0.0.1', port: nginx.port, path },
        method: body === undefined ? 'GET' : 'POST',
        headers: { host: 'im.example.com', ...headers },
      });
      asking.end(body);
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        asking.once('response', resolve);
        asking.once('error', reject);
      });
      return { headers: answer.headers, status: answer.statusCode, ...Answer.parse(await json(answer)) };
    }
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const login = (headers: Record<string, string> = {}, password = 'secret-1') =>
      ask('/api/login/login', { ...form, ...headers }, `username=tom&password=${password}`);

    test('the protocol and the host are those that the client used', async () => {
      const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' };
      expect((await ask('/api/pop/getsetting', forged)).data).toMatchObject({
        ws_address: 'wss://im.example.com:443',
      });
      expect(String((await login()).headers['set-cookie'])).toMatch(/; Secure/);
    });

    test('a page of the host acts by its visitor’s cookie, one of another host does not', async () => {
      const cookie = String((await login()).headers['set-cookie']).split(';', 1)[0] ?? '';
      const post = async (origin: string) =>
        (await ask('/api/user/update', { ...form, cookie, origin }, 'sign=懒')).code;
      expect(await post('https://im.example.com')).toBe(0);
      expect(await post('https://evil.example')).toBe(-1);
      expect(await post('http://im.example.com')).toBe(-1);
    });

    test('the address is the client’s own, despite headers that it sends, for HTTP and for websockets', async () => {
      await login({ 'x-forwarded-for': '203.0.113.9' }, 'secret-9');
      const addressesIn = (message: string) =>
        bubble.program
          .stderr()
          .split('\n')
          .filter((line) => line.includes(message))
          .map((line) => JSON.parse(line).address);
      await expect.poll(() => addressesIn('a password was wrong'), patiently).toEqual(['127.0.0.2']);
      const socket = new WebSocket(`wss://127.0.0.1:${nginx.port}/app/wrong-key`, {
        ...{ ...client, headers: { 'x-forwarded-for': '203.0.113.9' } },
      });
      await new Promise((resolve) => socket.once('message', resolve));
      socket.terminate();
      await expect.poll(() => addressesIn('a socket was refused'), patiently).toEqual(['127.0.0.2']);
    });

    test('a websocket is opened and gets events', async () => {
      const socket = new WebSocket(`wss://127.0.0.1:${nginx.port}/app/${bubble.key}?protocol=7`, client);
      const received: string[] = [];
      socket.on('message', (data) => received.push(JSON.parse(data.toString()).event));
      await expect.poll(() => received, patiently).toEqual(['pusher:connection_established']);
      socket.send('{"event":"pusher:subscribe","data":{"channel":"global"}}');
      await expect.poll(() => received, patiently).toContain('pusher_internal:subscription_succeeded');
      await bubble.call('/api/setting/update', 'server', { voice: 'off' });
      await expect.poll(() => received, patiently).toContain('settingChange');
      socket.terminate();
    });

    test('a file of 40 MB and a query for 1,000 people pass', async () => {
      const { token } = z.object({ token: z.string() }).parse((await login()).data);
      const body = new FormData();
      body.append('file', new Blob([randomBytes(40 * 1024 * 1024)]), 'large.bin');
      const encoded = new Response(body);
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': encoded.headers.get('content-type') ?? '',
      };
      const uploaded = await ask('/api/upload/file', headers, Buffer.from(await encoded.arrayBuffer()));
      expect(uploaded).toMatchObject({ code: 0, data: { size: '40.00 MB' } });
      expect(Object(uploaded.data).src).toMatch(/^\/\/im\.example\.com\/upload\/files\//);

      const uids = Array.from({ length: 1000 }, (_, index) => `uid[]=${index + 1}`).join('&');
      const people = await ask(`/api/user/multiGet?${uids}`, { authorization: `Bearer ${token}` });
      expect(people).toMatchObject({ code: 0, data: [{ uid: 1 }] });
    });

    test('plain HTTP is sent to https', async () => {
      const answer = await fetch(`http://127.0.0.1:${nginx.plainPort}/docs`, {
        headers: { host: 'im.example.com' },
        redirect: 'manual',
      });
      expect(answer.status).toBe(301);
      expect(answer.headers.get('location')).toMatch(/^https:\/\/[^/]+\/docs$/);
    });
  },
);
