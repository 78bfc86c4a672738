import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { maxUploadParts, readParts } from '../../services/api/bodies/multipart-parts.ts';
import { createHttp } from '../../services/api/http.ts';
import { acceptMultipart, readFields } from '../../services/api/multipart.ts';
import { silent } from '../support/accounts.ts';

/** The parts that were handed over, and how reading them ended, of the request at hand. */
let parts: (readonly [name: string, filename: string | undefined, content: string])[] = [];
let ended: string[] = [];
let port: number;
let close: () => Promise<void>;
beforeAll(async () => {
  const server = await createHttp(silent);
  acceptMultipart(server);
  server.post('/', async ({ raw }) => {
    try {
      await readParts(raw, 1_000, async ({ name, filename, content }) => {
        parts.push([name, filename, (await buffer(content)).toString()]);
        if (name === 'wrong') throw new Error('a wrong part');
      });
    } catch (error) {
      ended.push(String(error));
      throw error;
    }
    return { read: true };
  });
  server.post('/late/:how', async (request) => {
    const { raw, params } = request;
    await new Promise((resolve) => raw.once('close', resolve));
    const isForm = isDeepStrictEqual(params, { how: 'fields' });
    const reading = isForm ? readFields(request, 1_000) : readParts(raw, 1_000, async () => undefined);
    await reading.catch((error: unknown) => ended.push(String(error)));
  });
  port = Number(new URL(await server.listen({ port: 0, host: '127.0.0.1' })).port);
  close = () => server.close();
});
afterAll(() => close());
beforeEach(() => {
  parts = [];
  ended = [];
});

const part = (name: string, value: string, more = '') =>
  `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

/** Posts a body in one packet, or the beginning of a longer one, and gives the whole answer. */
async function post(
  body: string,
  { type = 'multipart/form-data; boundary=x', missing = 0, path = '/' } = {},
) {
  const socket = connect(port, '127.0.0.1');
  const length = Buffer.byteLength(body) + missing;
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${length}`;
  socket.write(`${head}\r\n\r\n${body}`);
  if (missing > 0) socket.end();
  return text(socket).catch(() => 'cut off');
}

describe('the parts of a multipart body', () => {
  test('are handed over one after the other', async () => {
    const body = `${part('a', '1')}${part('file', '猫', '; filename="b.txt"')}${part('c', '')}--x--\r\n`;
    expect(await post(body)).toMatch(/\{"read":true\}$/);
    expect(parts).toEqual([
      ['a', undefined, '1'],
      ['file', 'b.txt', '猫'],
      ['c', undefined, ''],
    ]);
  });

  test('are none in an empty body', async () => {
    expect(await post('')).toMatch(/\{"read":true\}$/);
    expect(parts).toEqual([]);
  });

  test('are skipped without a name', async () => {
    const nameless = '--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n';
    expect(await post(`${nameless}${part('a', '1')}--x--\r\n`)).toMatch(/\{"read":true\}$/);
    expect(parts).toEqual([['a', undefined, '1']]);
  });

  test('are handed over up to one that cannot be received', async () => {
    const body = `${part('a', '1')}${part('wrong', '2')}${part('c', '3')}--x--\r\n`;
    expect(await post(body)).toMatch(/^HTTP\/1\.1 500 /);
    expect(parts.map(([name]) => name)).toEqual(['a', 'wrong']);
  });

  test('may be a hundred', async () => {
    expect(await post(`${part('a', '1').repeat(maxUploadParts)}--x--\r\n`)).toMatch(/\{"read":true\}$/);
    expect(parts).toHaveLength(maxUploadParts);
    expect(await post(`${part('a', '1').repeat(maxUploadParts + 1)}--x--\r\n`)).toMatch(
      /"code":413,"msg":"请求内容过大"/,
    );
  });

  test('are not even parsed in a packet that holds more', async () => {
    expect(await post(`${part('a', '1').repeat(maxUploadParts + 2)}--x--\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    expect(parts).toEqual([]);
    expect(ended).toEqual([expect.stringContaining('请求内容过大')]);
  });

  test.each([
    'multipart/form-data; x="; boundary=y"; boundary=x',
    "multipart/form-data; boundary*=utf-8''x",
    'multipart/form-data; boundary="x\\"; boundary=x',
    'multipart/form-data; boundary=x; boundary=y',
  ])('are parsed by the boundary by which they are counted, whatever a type names: %s', async (type) => {
    const body = part('a', '1').repeat(maxUploadParts + 2);
    expect(await post(`${body}--x--\r\n`, { type })).toMatch(/^HTTP\/1\.1 4/);
    expect(parts).toEqual([]);
  });

  test.each(['x\\y', "a b'()+_,-./:=?z"])('may be separated by %s', async (boundary) => {
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--${boundary}--\r\n`;
    await post(body, { type: `multipart/form-data; boundary="${boundary}"` });
    expect(parts).toEqual([['a', undefined, '1']]);
  });

  test.each([
    ['that does not end', part('a', '1'), {}],
    ['that breaks off', part('a', '1'), { missing: 100 }],
    ['without a boundary', part('a', '1'), { type: 'multipart/form-data' }],
  ])('are unreadable in a body %s', async (_, body, more) => {
    await post(body, more);
    await expect.poll(() => ended).toEqual([expect.stringContaining('请求内容无法解析')]);
  });

  test.each(['parts', 'fields'])(
    'are unreadable if their client has gone before they are read: %s',
    async (how) => {
      await post(part('a', '1'), { missing: 100, path: `/late/${how}` });
      await expect.poll(() => ended).toEqual([expect.stringContaining('请求内容无法解析')]);
    },
  );
});
