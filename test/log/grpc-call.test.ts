import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GrpcFailure } from '../../services/log/eventstoredb/grpc-failure.ts';
import { GrpcSession } from '../../services/log/eventstoredb/grpc-session.ts';
import { MessageFrames, writeFrame } from '../../services/log/eventstoredb/message-frames.ts';

/** A server of HTTP/2, and calls to it. */
async function serve(onCall: (stream: ServerHttp2Stream) => void) {
  // What waits for a paused call is kept here.
  const server: Http2Server = createServer({ maxSessionMemory: 1_000 });
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    onCall(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const session = new GrpcSession({ address: '127.0.0.1', port: address.port }, undefined, {});
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  return { server, session, call: (path = '/some') => callOver(session, path) };
}

/** A call, with what it receives, and how it ends. */
function callOver(session: GrpcSession, path: string) {
  const received: string[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<GrpcFailure | undefined>();
  const call = session.call(
    path,
    {},
    { message: (bytes) => received.push(bytes.toString()), ended: resolve },
  );
  return { call, received, ended };
}

const message = (text: string) => writeFrame([Buffer.from(text)]);
const succeeds = { 'grpc-status': '0' };

/** Answers with messages and ends with trailers. */
function answer(stream: ServerHttp2Stream, messages: readonly string[], trailers: Record<string, string>) {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(Buffer.concat(messages.map(message)));
}

describe('messages of gRPC', () => {
  it('are found in bytes that arrive in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (given, sizes) => {
          const bytes = Buffer.concat(given.map((one) => writeFrame([one.subarray(0, 3), one.subarray(3)])));
          const frames = new MessageFrames();
          const found: number[][] = [];
          for (let at = 0, piece = 0; at < bytes.length; piece++) {
            const size = sizes[piece % sizes.length] ?? 1;
            for (const one of frames.add(bytes.subarray(at, at + size))) found.push([...one]);
            at += size;
          }
          expect(found).toEqual(given.map((one) => [...one]));
        },
      ),
    );
  });

  it('are refused if they are compressed or too long', () => {
    const refused = (head: readonly number[]) => () => [...new MessageFrames().add(Buffer.from(head))];
    expect(refused([1, 0, 0, 0, 0])).toThrow(RangeError);
    expect(refused([0, 255, 255, 255, 255])).toThrow(RangeError);
  });
});

describe('a call of gRPC', () => {
  it('receives all messages, and then its end', async () => {
    const { call } = await serve((stream) => answer(stream, ['one', 'two'], succeeds));
    const { received, ended } = call();
    expect(await ended).toBeUndefined();
    expect(received).toEqual(['one', 'two']);
  });

  it('sends what is written in one turn in one piece', async () => {
    const pieces: number[] = [];
    const { call } = await serve((stream) => {
      stream.on('data', (bytes: Buffer) => pieces.push(bytes.length));
      stream.on('end', () => answer(stream, [], succeeds));
    });
    const warm = call();
    warm.call.writeLast(Buffer.from('warm'));
    await warm.ended;
    pieces.length = 0;
    const { call: many, ended } = call();
    many.write(Buffer.from('first'));
    // Until the call is open.
    await expect.poll(() => pieces).toHaveLength(1);
    for (let count = 0; count < 50; count++) many.write(Buffer.alloc(295));
    many.writeLast(Buffer.from('last'));
    await ended;
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(10 + 50 * 300 + 9);
    expect(pieces.length).toBeLessThan(6);
  });

  it('ends with what the server says of its failure, also if it says so at once', async () => {
    const trailers = {
      'grpc-status': '5',
      'grpc-message': 'Leader%20info%20available',
      ...{ exception: 'not-leader', 'leader-endpoint-host': 'two', 'leader-endpoint-port': '2113' },
    };
    const { call } = await serve((stream) => {
      if (stream.sentHeaders === undefined)
        stream.respond({ ':status': 200, ...trailers }, { endStream: true });
    });
    const failure = await call().ended;
    expect(failure).toMatchObject({
      message: 'Leader info available',
      code: 5,
      connected: true,
      endsConnection: true,
      leader: { address: 'two', port: 2113 },
    });
  });

  it('fails as connected if the server breaks it off, and as not connected if there is none', async () => {
    const { call, server } = await serve((stream) => stream.close(2));
    expect(await call().ended).toMatchObject({ connected: true, endsConnection: true });
    server.close();
    const free = createTcpServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const address = free.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    free.close();
    await once(free, 'close');
    const session = new GrpcSession({ address: '127.0.0.1', port: address.port }, undefined, {});
    expect(await callOver(session, '/some').ended).toMatchObject({
      message: `connect ECONNREFUSED 127.0.0.1:${address.port}`,
      connected: false,
      endsConnection: true,
    });
    expect(session.usable).toBe(false);
  });

  it('that is paused does not hold up others, however much is on its way to it', async () => {
    const long = 'x'.repeat(100_000);
    const { call } = await serve((stream) => {
      stream.once('data', (bytes: Buffer) => {
        if (bytes.toString().endsWith('much')) answer(stream, Array<string>(20).fill(long), succeeds);
        else answer(stream, ['little'], succeeds);
      });
    });
    const paused = Array.from({ length: 5 }, () => call());
    for (const { call: one } of paused) {
      one.pause();
      one.writeLast(Buffer.from('much'));
    }
    for (let count = 0; count < 20; count++) {
      const quick = call();
      quick.call.writeLast(Buffer.from('little'));
      expect(await quick.ended).toBeUndefined();
      expect(quick.received).toEqual(['little']);
    }
    for (const { call: one, ended, received } of paused) {
      one.resume();
      expect(await ended).toBeUndefined();
      expect(received).toHaveLength(20);
    }
  });

  it('receives nothing more after it was cancelled', async () => {
    const { promise: cancelled, resolve } = Promise.withResolvers<number>();
    const { call } = await serve((stream) => {
      stream.respond({ ':status': 200 });
      stream.write(message('one'));
      stream.on('close', () => resolve(stream.rstCode));
    });
    const { call: one, received } = call();
    await expect.poll(() => received).toEqual(['one']);
    one.cancel();
    expect(await cancelled).toBe(8);
    expect(received).toEqual(['one']);
  });

  it('fails if its connection is given up before it is there; what connects all the same is ended', async () => {
    const { server, session, call } = await serve(() => undefined);
    const connected = once(server, 'connection');
    const { ended } = call();
    session.destroy();
    expect(await ended).toMatchObject({ connected: false });
    const [socket]: Socket[] = await connected;
    await expect.poll(() => socket?.destroyed).toBe(true);
  });
});
