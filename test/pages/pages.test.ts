import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Fastify, { type FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { givenAddress } from '../../contracts/websocket-address.ts';
import { pageRoutes, socketSource } from '../../services/pages/server/pages.ts';

const server = Fastify({ routerOptions: { ignoreTrailingSlash: true } });
let wsAddress = '';
const socketAddress = (request: FastifyRequest) => givenAddress(wsAddress, request);
beforeAll(() => pageRoutes(server, { socketAddress }));
afterAll(() => server.close());

const get = (url: string) => server.inject({ method: 'GET', url });

/** The scripts that a page loads, with those that they load. */
async function scriptsOf(url: string): Promise<Set<string>> {
  const { body } = await get(url);
  const scripts = new Set(Array.from(body.matchAll(/(?:src|href)="([^"]+\.js)"/g), ([, path = '']) => path));
  for (const script of scripts) {
    const { body: code } = await get(script);
    for (const [, path = ''] of code.matchAll(/["'](\.{1,2}\/[^"']+\.js)["']/g))
      scripts.add(new URL(path, `http://localhost${script}`).pathname);
  }
  return scripts;
}

describe('the pages', () => {
  test.each([
    ['/', 'bubble-im'],
    ['/chat/', '聊天 · bubble-im'],
    ['/console/', '控制台 · bubble-im'],
    ['/chat', '聊天 · bubble-im'],
  ])('%s is a page', async (url, title) => {
    const answer = await get(url);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.body).toContain(`<title>${title}</title>`);
  });

  test('load nothing of other hosts, and run only scripts that are files of ours', async () => {
    for (const url of ['/', '/chat/', '/console/']) {
      const { headers, body } = await get(url);
      expect(headers['content-security-policy']).toMatch(
        /default-src 'none';script-src 'self';style-src 'self'/,
      );
      expect(body).not.toMatch(/(src|href)="(https?:)?\/\//);
      expect(body).not.toMatch(/<script(?![^>]* src=)/);
    }
  });

  test('connect to the websocket that their server names at the moment, and to no other host', async () => {
    const connects = async () => {
      const { headers } = await server.inject({ url: '/chat/', headers: { host: 'im.example:3000' } });
      return /connect-src ([^;]*)/.exec(String(headers['content-security-policy']))?.[1];
    };
    expect(await connects()).toBe("'self' ws://im.example:3000");
    wsAddress = 'wss://sockets.example:8443/some/prefix';
    expect(await connects()).toBe("'self' wss://sockets.example:8443");
    wsAddress = '';
    expect(await connects()).toBe("'self' ws://im.example:3000");
  });

  test.each([
    ['wss://im.example:443/prefix?a=b', 'wss://im.example'],
    ['https://im.example', 'wss://im.example'],
    ['ws://10.0.0.1:6060', 'ws://10.0.0.1:6060'],
    ["ws://im.example;script-src 'unsafe-inline'", undefined],
    ['ws://a b', undefined],
    ['ws://*:80', undefined],
    ['ws://*.example:80', undefined],
    ['ws://[::1]:6060', undefined],
    ['im.example:6060', undefined],
    ['im.example', undefined],
    ['', undefined],
  ])('the policy names the websocket %s as %s', (address, source) => {
    expect(socketSource(address)).toBe(source);
  });

  test('have scripts of at most 150 KB, gzipped', async () => {
    for (const url of ['/', '/chat/', '/console/']) {
      let bytes = 0;
      for (const script of await scriptsOf(url)) bytes += gzipSync((await get(script)).rawPayload).length;
      expect(bytes, url).toBeLessThanOrEqual(150_000);
    }
  });

  test('are asked for each time; their assets, whose names change with their content, are kept', async () => {
    const page = await get('/chat/');
    expect(page.headers['cache-control']).toBe('no-cache');
    const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(page.body) ?? [];
    const asset = await get(script);
    expect(asset.statusCode).toBe(200);
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  test('are reported as missing if they were not built', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bubble-im-pages-'));
    await rm(folder, { recursive: true });
    const unbuilt = Fastify();
    await pageRoutes(unbuilt, { socketAddress, folder });
    expect((await unbuilt.inject('/')).body).toContain('npm run pages');
    expect((await unbuilt.inject('/chat/')).statusCode).toBe(404);
    await unbuilt.close();
  });
});
