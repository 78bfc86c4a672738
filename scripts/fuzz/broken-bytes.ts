import type { Random } from './random.ts';

/** Bytes for a connection that are no HTTP request, or one that Node's client would not send. */
export function brokenBytes(random: Random, key: string): Buffer {
  const host = 'Host: x\r\n';
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  const websocketKey = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const kinds: readonly (string | Buffer)[] = [
    ...[
      '',
      '\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01',
    ],
    random.bytes(random.integer(1, 500)),
    `GET /api/user/get?a=${'x'.repeat(70_000)} HTTP/1.1\r\n${host}\r\n`,
    `GET / HTTP/1.1\r\n${host}${'X-Y: z\r\n'.repeat(3000)}\r\n`,
    `GET /api/pop/getsetting HTTP/1.0\r\n\r\n`,
    `GET /api/pop/getsetting HTTP/1.1\r\n${host}Host: y\r\n\r\n`,
    `GET http://x:99999/ HTTP/1.1\r\n${host}\r\n`,
    `CONNECT x:1 HTTP/1.1\r\n${host}\r\n`,
    `GET /a b HTTP/1.1\r\n${host}\r\n`,
    `POST /api/login/login HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`,
    `POST /api/login/login HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /api/login/login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `POST /api/login/login HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":`,
    `POST /api/upload/img HTTP/1.1\r\n${host}Content-Type: multipart/form-data; boundary=a\r\nContent-Length: 900\r\n\r\n--a\r\n`,
    `GET /api/pop/getsetting HTTP/1.1\r\n${host}\r\n`.repeat(20),
    `GET /app/${key} HTTP/1.1\r\n${host}${upgrade}\r\n`,
    `GET /app/${key} HTTP/1.1\r\n${host}${upgrade}${websocketKey}Sec-WebSocket-Version: 99\r\n\r\n`,
    `GET /app/%ff HTTP/1.1\r\n${host}${upgrade}${websocketKey}Sec-WebSocket-Version: 13\r\n\r\n`,
    `GET //app HTTP/1.1\r\n${host}${upgrade}${websocketKey}Sec-WebSocket-Version: 13\r\n\r\n`,
    `POST /app/${key} HTTP/1.1\r\n${host}${upgrade}Content-Length: 3\r\n\r\nabc`,
    Buffer.concat([
      Buffer.from(
        `GET /app/${key} HTTP/1.1\r\n${host}${upgrade}${websocketKey}Sec-WebSocket-Version: 13\r\n\r\n`,
      ),
      random.bytes(random.integer(1, 300)),
    ]),
  ];
  const chosen = random.pick(kinds);
  return Buffer.isBuffer(chosen) ? chosen : Buffer.from(chosen, 'latin1');
}
