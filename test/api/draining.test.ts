import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttp } from '../../services/api/http.ts';
import { freePort } from '../support/free-port.ts';

/** A server with a call that is answered at once and one that waits for the test, and a client with one connection. */
async function start() {
  const port = await freePort();
  const server = await createHttp(pino({ level: 'silent' }));
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  server.get('/quick', async () => 'quick');
  server.get('/slow', () => {
    asked.resolve();
    return answer.promise;
  });
  await server.listen({ host: '127.0.0.1', port });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async () => {
    agent.destroy();
    await server.close();
  });
  const get = async (path: string) => {
    const asking = request({ host: '127.0.0.1', port, path, agent }).end();
    const [response]: IncomingMessage[] = await once(asking, 'response');
    if (!response) throw new Error('no answer');
    return {
      body: await text(response),
      connection: response.headers.connection,
      reused: asking.reusedSocket,
    };
  };
  const end = async () => {
    await server.drain();
    await server.close();
  };
  return { server, get, end, asked: asked.promise, answer: () => answer.resolve('slow') };
}

describe('a server that drains', () => {
  test('answers the next request of a client that keeps its connection, and ends the connection with it', async () => {
    const { get, end } = await start();
    expect(await get('/quick')).toMatchObject({ connection: 'keep-alive' });
    const ended = end();
    expect(await get('/quick')).toEqual({ body: 'quick', connection: 'close', reused: true });
    await ended;
  });

  test('ends the connection of a request that was under way before', async () => {
    const { get, end, asked, answer } = await start();
    const slow = get('/slow');
    await asked;
    const ended = end();
    answer();
    expect(await slow).toMatchObject({ body: 'slow', connection: 'close' });
    await ended;
  });

  test('accepts no new connections, also while one that is kept open is idle', async () => {
    const { get, server } = await start();
    expect(await get('/quick')).toMatchObject({ connection: 'keep-alive' });
    const drained = server.drain();
    await expect.poll(() => server.server.listening).toBe(false);
    expect(await get('/quick')).toMatchObject({ connection: 'close', reused: true });
    await expect(get('/quick')).rejects.toThrow('ECONNREFUSED');
    await drained;
  });
});
