import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createHttp } from '../../services/api/http.ts';
import { collectGarbage } from '../../services/garbage.ts';
import { freePort } from '../support/free-port.ts';

/** A server with a call that is answered when the test says so, and a client who keeps its connection. */
async function startSlow() {
  const port = await freePort();
  const server = await createHttp(pino({ level: 'silent' }));
  const called = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  server.get('/slow', (_request, reply) => {
    // Its head goes out at once: no header can say any more that the connection ends.
    reply.raw.writeHead(200, { 'content-length': 6 });
    reply.raw.flushHeaders();
    reply.hijack();
    called.resolve();
    void answer.promise.then((body) => reply.raw.end(body));
  });
  await server.listen({ host: '127.0.0.1', port });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    await server.close();
  });
  const sent = request({ host: '127.0.0.1', port, path: '/slow', agent }).end();
  const [[response]] = await Promise.all([once(sent, 'response'), called.promise]);
  const heard: IncomingMessage = response;
  return { server, heard, answer: () => answer.resolve('answer') };
}

test('a server that ends does not wait for a client who keeps its connection after its last answer', async () => {
  const { server, heard, answer } = await startSlow();
  const closed = server.close();
  // The server has closed what rests already.
  await expect.poll(() => server.server.listening).toBe(false);
  answer();
  expect(await text(heard)).toBe('answer');
  const began = performance.now();
  await closed;
  expect(performance.now() - began).toBeLessThan(5_000);
});

test('nothing holds a server that was closed without having listened', async () => {
  const forgotten = await (async () => {
    const server = await createHttp(pino({ level: 'silent' }));
    await server.inject('/');
    await server.close();
    return new WeakRef(server);
  })();
  await vi.waitUntil(
    () => {
      collectGarbage();
      return forgotten.deref() === undefined;
    },
    { timeout: 10_000 },
  );
});
