import { connect } from 'node:net';
import { type Attack, forever, type Target } from './hostile-attack.ts';
import type { Person } from './people.ts';

const bearer = (person: Person | undefined) => `Authorization: Bearer ${person?.token}\r\n`;

/** Sends bytes on a connection of its own and waits until the server has closed it, or answered. */
const sendRaw = ({ port }: Target, bytes: Buffer) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket
      .on('data', () => socket.destroy())
      .on('error', resolve)
      .on('close', resolve);
  });

/** Sends bytes on a connection of its own, and goes on after an answer, until the server has closed it. */
const sendOn = ({ port }: Target, bytes: Buffer) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.resume().on('error', resolve).on('close', resolve);
  });

/** A request with these headers, each with its line end, and this body. */
const request = (path: string, headers: string, body: string) =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

const json = 'Content-Type: application/json\r\n';
const multipart = 'Content-Type: multipart/form-data; boundary=x\r\n';

const chunks = (path: string, headers: string, bytes: number, count: number) =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\n${headers}Transfer-Encoding: chunked\r\n\r\n` +
      `${bytes.toString(16)}\r\n${' '.repeat(bytes)}\r\n`.repeat(count),
  );
const chunksOfOneByte = (headers: string) => chunks('/api/login/login', headers, 1, 500_000);
const plain = chunksOfOneByte(`Host: x\r\n${json}`);
const withoutHost = chunksOfOneByte(json);
const expecting = chunksOfOneByte(`Host: x\r\nExpect: nothing\r\n${json}`);
const upgrading = chunksOfOneByte(`Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${json}`);
const refused = chunks('/none', 'Host: x\r\n', 65_536, 200);
const parts = Array.from(
  { length: 5_000 },
  (_, index) => `--x\r\nContent-Disposition: form-data; name="n${index}"\r\n\r\n1\r\n`,
).join('');
const names = JSON.stringify(
  Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`n${index}`, 1])),
);
const numbers = JSON.stringify({ members: Array.from({ length: 120_000 }, (_, index) => index) });
const cookies = `Cookie: ${Array.from({ length: 12_000 }, (_, index) => `a${index % 10}=`).join(';')}\r\n`;

/** Attacks by bodies that are small and take long to read, by name. */
export const bodyAttacks: Readonly<Record<string, Attack>> = {
  'bodies in chunks of a byte': (target) => forever(8, () => sendRaw(target, plain)),
  'the same without a Host': (target) => forever(8, () => sendOn(target, withoutHost)),
  'the same with an unknown Expect': (target) => forever(8, () => sendOn(target, expecting)),
  'the same with an upgrade to a websocket': (target) => forever(8, () => sendOn(target, upgrading)),
  'refused bodies in chunks of 64 KB': (target) => forever(8, () => sendOn(target, refused)),
  'forms of 5,000 parts': (target) =>
    forever(8, () => sendRaw(target, request('/api/login/login', multipart, `${parts}--x--\r\n`))),
  'uploads of 5,000 parts': (target) =>
    forever(8, () =>
      sendRaw(target, request('/api/upload/file', multipart + bearer(target.people[2]), `${parts}--x--\r\n`)),
    ),
  'JSON of 30,000 names': (target) =>
    forever(8, () => sendRaw(target, request('/api/login/login', json, names))),
  'JSON of 120,000 numbers of one token on 60 connections': (target) =>
    forever(60, () =>
      sendRaw(target, request('/api/group/create', json + bearer(target.people[2]), numbers)),
    ),
  '48 KB of cookies': (target) =>
    forever(8, () => sendRaw(target, request('/api/login/login', json + cookies, '{}'))),
};
