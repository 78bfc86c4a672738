import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The raw limit beside `bench chat`: a process that answers the same requests and pushes the same frames,
 * and decides, stores and checks nothing. Started with its port; says `ready`.
 */
const port = Number(process.argv[2]);
const listeners = new Map<string, WebSocket>();
let mid = 0;

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const { to, content }: { to: number; content: string } = JSON.parse(body);
    const channel = `user-${to}`;
    const data = JSON.stringify({
      from: '1',
      to: String(to),
      content,
      mid: ++mid,
      type: 'friend',
      sub_type: 'message',
    });
    listeners.get(channel)?.send(JSON.stringify({ event: 'message', channel, data }));
    const answer = JSON.stringify({ code: 0, msg: 'ok', data: { mid } });
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.setHeader('content-length', answer.length);
    response.end(answer);
  });
});

// Its connections rest while the others are measured.
server.keepAliveTimeout = 0;

new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('message', (frame) => {
    const { data }: { data: { channel: string } } = JSON.parse(frame.toString());
    listeners.set(data.channel, socket);
    socket.send(
      JSON.stringify({ event: 'pusher_internal:subscription_succeeded', channel: data.channel, data: '{}' }),
    );
  });
});

server.listen(port, '127.0.0.1', () => console.log('ready'));
