import { pbkdf2 } from 'node:crypto';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { closeFriend } from './home-filling.ts';
import { type Attack, forever, type Target } from './hostile-attack.ts';
import { bodyAttacks } from './hostile-bodies.ts';
import { socketAttacks } from './hostile-sockets.ts';
import { HttpConnection } from './http-connection.ts';
import type { Person } from './people.ts';

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

async function upload(
  target: Target,
  person: Person | undefined,
  bytes: Buffer,
  [path, name]: readonly [string, string] = ['/api/upload/img', 'a.png'],
): Promise<void> {
  const body = new FormData();
  body.append('file', new Blob([new Uint8Array(bytes)]), name);
  await post(target, path, body, bearer(person));
}

/** One token asks the same over 60 connections, each as soon as it was answered. */
const queries =
  (pathOf: (target: Target) => string): Attack =>
  (target) =>
    forever(60, async () => {
      const connection = await HttpConnection.open(target.port);
      const { authorization } = bearer(target.rich);
      const path = pathOf(target);
      for (;;) await connection.get(path, `Authorization: ${authorization}\r\n`);
    });

const thousand = Array.from({ length: 1000 }, (_, index) => index + 1).join(',');

/** Sends requests in one piece on each of 60 connections, again and again, and reads no answer. */
const leaveUnread = (target: Target, requests: number) =>
  forever(
    60,
    () =>
      new Promise((resolve) => {
        const socket = connect(target.port, '127.0.0.1', () => {
          const { authorization } = bearer(target.rich);
          const request = `GET /api/pop/get HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`;
          socket.pause();
          socket.write(request.repeat(requests));
        });
        socket.on('error', resolve).on('close', resolve);
      }),
  );

/** The attacks by name. */
export const attacks: Readonly<Record<string, Attack>> = {
  // What the attacker's own work costs on this machine: an attack's ratio has it in it.
  'no attack: an attacker who computes for itself': () =>
    forever(2, () => promisify(pbkdf2)('', '', 100_000, 32, 'sha256')),
  'forms with falling indexes': (target) =>
    forever(4, () => post(target, '/api/login/login', fallingIndexes, form)),
  'queries with falling indexes': (target) =>
    forever(4, () => ask(urlOf(target, `/api/user/get?${fallingIndexes.slice(0, 14_000)}`), {})),
  'deep JSON': (target) => forever(4, () => post(target, '/api/login/login', deepJson, json)),
  'QR codes of 1 KB': (target) =>
    forever(8, (row, round) =>
      ask(urlOf(target, `/api/qrcode/get?content=${`${row}-${round}-`.padEnd(1000, 'x')}`), {}),
    ),
  captchas: (target) => forever(8, () => ask(urlOf(target, '/api/login/captcha'), {})),
  logins: (target) =>
    forever(16, (row) =>
      post(target, '/api/login/login', JSON.stringify({ username: `no${row}`, password: 'wrong-1' }), json),
    ),
  'wrong passwords of one name': (target) =>
    forever(16, () =>
      post(
        target,
        '/api/login/login',
        JSON.stringify({ username: target.people[3]?.username, password: 'wrong-1' }),
        json,
      ),
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
  'pictures of 64 megapixels': async (target) => {
    const create = { width: 8000, height: 8000, channels: 3, background: '#123' } as const;
    const bomb = await sharp({ create }).png().toBuffer();
    await forever(6, (row) => upload(target, target.people[row], bomb));
  },
  'uploads of 20 MB': (target) => {
    const file = Buffer.alloc(20_000_000, 'x');
    return forever(6, () => upload(target, target.people[2], file, ['/api/upload/file', 'a.bin']));
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
  // Without the hourly limits, so that it goes on for as long as it is measured.
  'groups of 1,000 of seven people': (target) => {
    const body = JSON.stringify({
      members: Array.from({ length: 1_000 }, (_, index) => closeFriend + index),
    });
    return forever(56, (row) =>
      post(target, '/api/group/create', body, { ...json, ...bearer(target.people[1 + (row % 7)]) }),
    );
  },
  'answers that nobody reads': (target) => leaveUnread(target, 1_000),
  'ten answers that nobody reads on each of 60 connections': (target) => leaveUnread(target, 10),
  'pop/get of one token on 60 connections': queries(() => '/api/pop/get'),
  'user/multiGet of 1,000 on 60 connections': queries(() => `/api/user/multiGet?uid=${thousand}`),
  'friend/getlist on 60 connections': queries(() => '/api/friend/getlist'),
  'message/sync on 60 connections': queries(() => '/api/message/sync'),
  'group/detail on 60 connections': queries(({ richGid }) => `/api/group/detail?gid=${richGid}`),
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
      ask(urlOf(target, `/api/group/detail?gid=${200_000_000 + row * 1_000_003 + round}`), {
        headers: bearer(target.people[1]),
      }),
    ),
  ...bodyAttacks,
  ...socketAttacks,
};
