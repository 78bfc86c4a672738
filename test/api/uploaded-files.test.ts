import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { download, text, uploaded } from '../support/uploading.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

describe('files', () => {
  test('come back byte for byte, as an attachment that no browser runs', async () => {
    const bytes = text('<html><script>alert(document.cookie)</script>\0\xff');
    const { src, name, size } = await uploaded(running, { path: '/upload/file', bytes, name: '合同.html' });
    expect({ name, size }).toEqual({ name: '合同.html', size: `${bytes.length} B` });
    const response = await download(src);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-disposition': `attachment; filename="??.html"; filename*=UTF-8''%E5%90%88%E5%90%8C.html`,
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });

  test.each(['xls', 'doc', 'ppt'])('of the old Office keep their extension: .%s', async (extension) => {
    const container = new Uint8Array(1024);
    container.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    const { src } = await uploaded(running, {
      ...{ path: '/upload/file', bytes: container, name: `表.${extension.toUpperCase()}` },
    });
    expect(src).toMatch(new RegExp(`\\.${extension}$`));
  });

  test.each([
    ['app.ipa', 'ipa'],
    ['no extension', 'zip'],
    ['strange.文件', 'zip'],
    ['long.abcdefghijk', 'zip'],
  ])('named %s that are archives get the extension %s', async (name, extension) => {
    const archive = new Uint8Array([0x50, 0x4b, 5, 6, ...new Uint8Array(18)]);
    const { src } = await uploaded(running, { path: '/upload/file', bytes: archive, name });
    expect(src).toMatch(new RegExp(`\\.${extension}$`));
  });

  test('are downloaded under the name they came with', async () => {
    const bytes = text('x');
    const { src } = await uploaded(running, { path: '/upload/file', bytes, name: 'a "b";c.pdf' });
    const { headers } = await download(src, { range: 'bytes=0-0' });
    // Chromium writes a quote in a form as %22.
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="a %22b%22;c.pdf"; filename*=UTF-8''a%20%2522b%2522%3Bc.pdf`,
    );
    const { name } = await uploaded(running, { path: '/upload/file', bytes, name: 'a\u202egpj.exe' });
    expect(name).toBe('agpj.exe');
  });

  test('has up to 255 characters, and is cut beyond', async () => {
    const named = async (length: number) =>
      (await uploaded(running, { path: '/upload/file', bytes: text('x'), name: '猫'.repeat(length) })).name;
    expect(await named(255)).toBe('猫'.repeat(255));
    expect(await named(256)).toBe('猫'.repeat(255));
  });

  test('are sent in parts, and not again to clients that have them', async () => {
    const { src } = await uploaded(running, { path: '/upload/file', bytes: text('0123456789') });
    const part = await download(src, { range: 'bytes=2-4' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    expect(await (await download(src, { range: 'bytes=-3' })).text()).toBe('789');
    expect(await (await download(src, { range: 'bytes=7-' })).text()).toBe('789');
    const beyond = await download(src, { range: 'bytes=10-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    for (const range of ['bytes=0-1,4-5', 'bytes=b-a', 'bytes=3-1', 'lines=1-2', 'bytes']) {
      const whole = await download(src, { range });
      expect([whole.status, await whole.text()]).toEqual([200, '0123456789']);
    }
    const { headers } = await download(src);
    expect((await download(src, { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304);
  });

  test('answer HEAD with their size', async () => {
    const { src } = await uploaded(running, { path: '/upload/file', bytes: text('0123456789') });
    const { status, headers } = await fetch(`http:${src}`, { method: 'HEAD' });
    expect([status, headers.get('content-length')]).toEqual([200, '10']);
  });

  test('may be empty', async () => {
    const { src, size } = await uploaded(running, { path: '/upload/file', bytes: text(''), name: '空.txt' });
    expect(size).toBe('0 B');
    expect(await (await download(src)).text()).toBe('');
  });

  test.each([
    '/upload/files/202104/nothing.png',
    `/upload/files/202104/${'0'.repeat(32)}.png`,
    '/upload/..%2f..%2fincoming',
    '/upload/%2e%2e/%2e%2e/lock',
    '/upload/files',
    '/upload/',
  ])('%s is not found, in the envelope', async (path) => {
    const response = await fetch(running.url + path);
    expect([response.status, await response.json()]).toEqual([404, expect.objectContaining({ code: 404 })]);
  });
});
