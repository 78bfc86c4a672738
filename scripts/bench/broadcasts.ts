import { createHash } from 'node:crypto';
import { z } from 'zod';
import { authOf, channelText, sign } from '../../services/app-keys/signature.ts';
import { forkServer } from './fork-server.ts';
import { HttpConnection } from './http-connection.ts';
import { ListeningSocket } from './listening-socket.ts';
import { callAsServer } from './people.ts';
import type { RunningProgram } from './program.ts';

/** Something that gives what is sent out to all sockets. */
export interface Broadcast {
  readonly sockets: readonly ListeningSocket[];
  /** Sends one message; `mark`, nine characters, is part of what the sockets get. */
  send(mark: string): Promise<void>;
  close(): void;
}

const sample = '#0000000#';

/** A group whose members all listen: its messages, and what another backend triggers on its channel. */
export interface Group {
  /** Messages sent over HTTP: stored, projected, pushed. */
  readonly messages: Broadcast;
  /** Events of the same bytes, over HTTP too, that the gateway gives out and nothing stores. */
  readonly events: Broadcast;
  /** What one message looks like to a socket. */
  readonly frame: string;
  close(): void;
}

/** Makes a group of the people, with each a socket on its channel. */
export async function openGroup(
  program: RunningProgram,
  uids: readonly number[],
  maxUnderWay: number,
): Promise<Group> {
  const [owner] = uids;
  const data = await callAsServer(program, '/group/create', { login_uid: owner, members: uids.slice(1) });
  const { gid } = z.object({ gid: z.coerce.number() }).parse(data);
  const sockets = await Promise.all(uids.map((uid) => openMember(program, gid, uid)));
  const senders = await Promise.all(
    Array.from({ length: maxUnderWay }, () => HttpConnection.open(program.port)),
  );
  const post = async (path: string, headers: string, body: string, good: string) => {
    const sender = senders.pop();
    if (sender === undefined) throw new Error('more on the way than there are senders');
    const answer = await sender.post(path, headers, body);
    senders.push(sender);
    if (!answer.startsWith(good)) throw new Error(answer);
  };
  const headers = `X-App-Key: ${program.key}\r\nX-App-Secret: ${program.secret}\r\n`;
  const messages = {
    sockets,
    send(mark: string) {
      const content = `a message of some length ${mark}`;
      const message = { login_uid: owner, to: gid, type: 'group', content };
      return post('/api/message/send', headers, JSON.stringify(message), '{"code":0,');
    },
    close: () => undefined,
  };
  const frame = await sampleFrame(messages);
  const payload = z.object({ data: z.string() }).parse(JSON.parse(frame)).data;
  const events = {
    sockets,
    send(mark: string) {
      const event = { name: 'message', channel: channelOf(gid), data: payload.replace(sample, mark) };
      const body = JSON.stringify(event);
      return post(signedPath(program, body), '', body, '{}');
    },
    close: () => undefined,
  };
  // As clients do: who is silent for long is closed.
  const beat = setInterval(() => {
    for (const socket of sockets) socket.send('{"event":"pusher:ping"}');
  }, 20_000);
  return {
    ...{ messages, events, frame },
    close() {
      clearInterval(beat);
      for (const socket of [...sockets, ...senders]) socket.close();
    },
  };
}

const channelOf = (gid: number) => `private-group-${gid}`;

async function openMember(program: RunningProgram, gid: number, uid: number): Promise<ListeningSocket> {
  const { key, secret, port } = program;
  const socket = await ListeningSocket.open(port, `/app/${key}?protocol=7`);
  const established = await socket.frameWith('connection_established');
  const socketId = /(\d+\.\d+)/.exec(established.toString())?.[1] ?? '';
  const channel = channelOf(gid);
  const channel_data = JSON.stringify({ user_id: String(uid) });
  const auth = authOf({ id: '', key, secret }, channelText(socketId, channel, channel_data));
  const subscribed = socket.frameWith('subscription_succeeded');
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel, auth, channel_data } }));
  await subscribed;
  return socket;
}

async function sampleFrame({ sockets, send }: Broadcast): Promise<string> {
  const frames = sockets.map((socket) => socket.frameWith(sample));
  await send(sample);
  const [frame] = await Promise.all(frames);
  return frame?.toString() ?? '';
}

/** The path of an event that is signed as Pusher's server libraries do it. */
function signedPath({ key, secret }: RunningProgram, body: string): string {
  const id = process.env.APP_ID || 'bubble-im';
  const path = `/apps/${id}/events`;
  const md5 = createHash('md5').update(body).digest('hex');
  const seconds = Math.floor(Date.now() / 1000);
  const query = `auth_key=${key}&auth_timestamp=${seconds}&auth_version=1.0&body_md5=${md5}`;
  return `${path}?${query}&auth_signature=${sign({ id, key, secret }, `POST\n${path}\n${query}`)}`;
}

/** `count` sockets on a bare ws server; one of them sends, which costs less than HTTP. */
export async function openBare(count: number, frame: string): Promise<Broadcast> {
  const { child, port } = await forkServer('bare-broadcast.ts');
  const sockets = await Promise.all(Array.from({ length: count }, () => ListeningSocket.open(port, '/')));
  return {
    sockets,
    async send(mark) {
      sockets[0]?.send(frame.replace(sample, mark));
    },
    close() {
      for (const socket of sockets) socket.close();
      child.disconnect();
    },
  };
}
