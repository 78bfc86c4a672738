import { createServer } from 'node:http';
import { pino } from 'pino';
import { memoryBus } from '../../services/bus/memory.ts';
import { createGateway } from '../../services/gateway/gateway.ts';
import { createPool } from '../../services/postgres/pool.ts';

/** A gateway and nothing beside it, on the database that is its first argument. */
const logger = pino({ level: 'silent' });
const server = createServer();
const gateway = createGateway({
  bus: memoryBus(logger),
  database: createPool(process.argv[2] ?? '', logger),
  app: { id: 'bench', key: 'bench', secret: 'bench' },
  sessions: { verify: async () => undefined, verifyHash: async () => undefined },
  logger,
});
await gateway.start();
gateway.attach(server);
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));

process.on('message', () => {
  gc?.();
  process.send?.(process.memoryUsage());
});
process.on('disconnect', () => process.exit());
