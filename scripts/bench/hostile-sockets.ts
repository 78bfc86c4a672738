import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Attack, forever, type Target } from './hostile-attack.ts';
import type { Person } from './people.ts';

const frame = (event: string, more: object) => JSON.stringify({ event, ...more });
const subscribe = (channel: string) => frame('pusher:subscribe', { data: { channel } });

/** Opens a socket and lets `use` do what it wants with it; ends when the socket is closed or `ms` are over. */
async function withSocket(
  { port, key }: Target,
  query: string,
  use: (socket: WebSocket) => unknown,
  ms = 60_000,
): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/app/${key}?protocol=7&${query}`);
  const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
  socket.on('open', () => use(socket));
  await Promise.race([closed, delay(ms)]);
  socket.terminate();
}

const asPerson = (person: Person | undefined) => `token=${person?.token}`;

/** Sends the text at an even rate per second until the socket is closed. */
function sendEach(socket: WebSocket, text: string, everyMs: number): void {
  const timer = setInterval(() => socket.send(text), everyMs);
  socket.on('close', () => clearInterval(timer));
}

const deepFrame = '['.repeat(100_000);

/** Attacks on websockets, by name. */
export const socketAttacks: Readonly<Record<string, Attack>> = {
  'subscriptions with since': (target) =>
    forever(4, (row) =>
      withSocket(
        target,
        `since=${'0'.repeat(40)}`,
        (socket) => {
          for (let count = 0; count < 1_000; count++) {
            socket.send(subscribe(`${row}-${count}-`.padEnd(164, 'x')));
          }
        },
        1_000,
      ),
    ),
  // 131,072 bytes a second and a million at once are what a socket may send.
  'deep JSON at the limit of 60 sockets': (target) =>
    forever(60, () =>
      withSocket(target, '', (socket) => {
        for (let count = 0; count < 10; count++) socket.send(deepFrame);
        sendEach(socket, deepFrame, 800);
      }),
    ),
  'deep JSON on 16 sockets that are closed for it': (target) =>
    forever(16, () =>
      withSocket(target, '', (socket) => {
        for (let count = 0; count < 30; count++) socket.send(deepFrame);
      }),
    ),
  'frames at the limit of 100 sockets': (target) =>
    forever(100, () =>
      withSocket(target, '', (socket) => sendEach(socket, frame('pusher:ping', { data: {} }), 5)),
    ),
  'bytes without end on 8 sockets': (target) =>
    forever(8, () =>
      withSocket(target, '', (socket) => {
        const flood = () => socket.readyState === WebSocket.OPEN && socket.send('x'.repeat(60_000), flood);
        flood();
      }),
    ),
  // Each is a frame without an end: a first fragment, and empty ones that go on with it.
  'frames of empty fragments on 8 sockets': (target) =>
    forever(8, () =>
      withSocket(target, '', (socket) => {
        const flood = () => {
          for (let count = 0; count < 1_000; count++) socket.send('', { fin: false });
          if (socket.readyState === WebSocket.OPEN) socket.send('', { fin: false }, flood);
        };
        flood();
      }),
    ),
  'client events of 10 KB on 100 sockets': (target) => {
    const channel = `group-${target.gid}`;
    const event = frame('client-typing', { channel, data: { text: 'x'.repeat(10_000) } });
    return forever(100, () =>
      withSocket(target, asPerson(target.people[1]), (socket) => {
        socket.send(subscribe(channel));
        sendEach(socket, event, 100);
      }),
    );
  },
  'quotes of 8 KB and resumes that do not read': async (target) => {
    const [owner, member] = target.people;
    const content = 'q'.repeat(8_000);
    const send = async (quote_mid?: number) => {
      const answer = await fetch(`http://127.0.0.1:${target.port}/api/message/send`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${owner?.token}` },
        body: JSON.stringify({ type: 'group', to: target.gid, content, quote_mid }),
      });
      const { data }: { data: { mid?: number } } = JSON.parse(await answer.text());
      return data.mid;
    };
    const channel = `group-${target.gid}`;
    let since = '';
    const listening = withSocket(target, asPerson(member), (socket) => {
      socket.send(subscribe(channel));
      socket.on('message', (text) => {
        const { data }: { data?: unknown } = JSON.parse(text.toString());
        if (since === '' && typeof data === 'string') since = JSON.parse(data).position ?? '';
      });
    });
    let mid = await send();
    for (let count = 0; count < 60; count++) mid = await send(mid);
    const resuming = forever(20, (row) =>
      withSocket(
        target,
        `${asPerson(row % 2 === 0 ? owner : member)}&since=${encodeURIComponent(since)}`,
        (socket) => {
          if (row < 10) socket.pause();
          socket.send(subscribe(channel));
        },
        row < 10 ? 60_000 : 200,
      ),
    );
    await Promise.all([listening, resuming, forever(4, () => send(mid))]);
  },
};
