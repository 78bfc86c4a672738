import { WebSocket } from 'ws';
import { z } from 'zod';

/**
 * A program that subscribes to a private channel, from a position on if one is given, and prints each received frame
 * as a line: `node small-packets-reader.ts HOST:PORT KEY TOKEN CHANNEL [POSITION]`.
 */
const [, , host = '', key = '', token = '', channel = '', since] = process.argv;
const socket = new WebSocket(`ws://${host}/app/${key}?token=${token}`);
const Established = z.object({ event: z.literal('pusher:connection_established'), data: z.string() });
const Id = z.object({ socket_id: z.string() });

socket.on('message', (data) => {
  process.stdout.write(`${data}\n`);
  const established = Established.safeParse(JSON.parse(String(data))).data;
  if (established !== undefined) void subscribe(Id.parse(JSON.parse(established.data)).socket_id);
});
socket.on('close', (code) => process.stdout.write(`${JSON.stringify({ event: 'closed', data: code })}\n`));

async function subscribe(socketId: string): Promise<void> {
  const body = new URLSearchParams({ socket_id: socketId, channel_name: channel, token });
  const answer = await fetch(`http://${host}/pusher/auth`, { method: 'POST', body });
  const signed = z.object({ auth: z.string(), channel_data: z.string() }).parse(await answer.json());
  socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel, since, ...signed } }));
}
