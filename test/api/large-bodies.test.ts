import Fastify from 'fastify';
import { afterAll, expect, test } from 'vitest';
import { parseInTurn } from '../../services/api/bodies/large-bodies.ts';

const server = Fastify();
/** When the parsing of each body began, in milliseconds. */
const times: number[] = [];
server.addContentTypeParser('text/x-slow', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
  parseInTurn(request, body, done, (parsed) => {
    times.push(performance.now());
    // Parsing takes the thread.
    const until = performance.now() + 20;
    while (performance.now() < until);
    parsed(null, body.length);
  });
});
server.post('/', async ({ body }) => ({ bytes: body }));
afterAll(() => server.close());

async function post(bytes: number): Promise<number> {
  const headers = { 'content-type': 'text/x-slow' };
  const answer = await server.inject({ method: 'POST', url: '/', headers, payload: 'x'.repeat(bytes) });
  return answer.statusCode;
}

/** Bodies at once. @returns the shortest time from the end of one parsing to the begin of the next */
async function pause(bytes: number): Promise<number> {
  times.length = 0;
  await Promise.all(Array.from({ length: 4 }, () => post(bytes)));
  return Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? 0))) - 20;
}

test('after a large body of a caller half of the time is left to others', async () => {
  expect(await pause(16 * 1024 + 1)).toBeGreaterThan(15);
});

test('fifty large bodies of a caller may wait', async () => {
  const codes = await Promise.all(Array.from({ length: 60 }, () => post(17_000)));
  expect(codes.filter((code) => code === 200).length).toBeGreaterThanOrEqual(50);
  expect(codes.filter((code) => code === 500).length).toBeGreaterThan(0);
});
