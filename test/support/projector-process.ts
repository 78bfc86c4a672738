import { pino } from 'pino';
import { startProjector } from '../../projections/runner/projector.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';

/*
 * A projector that is a process, so that it can be killed: node projector-process.ts <url> [batches].
 * It prints each batch's number once it is committed. If `batches` is given, it kills itself after as many, before it
 * prints the next one.
 */

const [, , url = '', dieAt] = process.argv;
const logger = pino({ level: 'silent' });
const log = await openPostgresLog({ connectionString: url });
const bus = memoryBus(logger);
let batches = 0;
bus.onTick(({ batch }) => {
  if (dieAt !== undefined && batches++ === Number(dieAt)) process.kill(process.pid, 'SIGKILL');
  process.stdout.write(`${batch}\n`);
});
await startProjector({ log, database: url, bus, logger });
