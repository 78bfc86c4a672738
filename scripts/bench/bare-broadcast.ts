import { WebSocketServer } from 'ws';

/** What the gateway is compared with: every frame that comes in goes out to all, as ws' own page shows it. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => {
    for (const client of server.clients) client.send(data, { binary: isBinary });
  });
});
server.on('listening', () => process.send?.(server.address()));

process.on('message', () => {
  gc?.();
  process.send?.(process.memoryUsage());
});
process.on('disconnect', () => process.exit());
