import { createServer } from 'node:http';

/**
 * The raw limit beside `bench home`: a process that answers each GET with the body last given to it by
 * POST, and looks nothing up. Started by fork; sends its address.
 */
let body: Buffer = Buffer.alloc(0);

const server = createServer(async (request, response) => {
  if (request.method === 'POST') body = Buffer.concat(await Array.fromAsync(request));
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', body.length);
  response.end(body);
});

// Its connections rest while the others are measured.
server.keepAliveTimeout = 0;

server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
