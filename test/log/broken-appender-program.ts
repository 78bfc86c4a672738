import { pino } from 'pino';
import { runProgram } from '../../services/lifecycle.ts';
import { prepare } from '../../services/log/append-request.ts';
import { Continuity } from '../../services/log/continuity.ts';
import { Appender } from '../../services/log/postgres/appender.ts';
import { event, freshCategory, streamOf } from './specimens.ts';

/** Appends to the database of DATABASE_URL, with an appender whose `onCommitted` throws. */
await runProgram(async (program) => {
  const appender = await program.start(
    'appender',
    async () =>
      new Appender({
        continuity: new Continuity(pino({ level: 'silent' })),
        config: { connectionString: program.environment.databaseUrl },
        logger: pino({ level: 'silent' }),
        appendTimeoutMs: 60_000,
        onCommitted: () => {
          throw new Error('a fault of the program');
        },
        onNotified: () => undefined,
        onConnected: () => undefined,
      }),
    // The appender is broken: closing it would wait for the append for ever.
    () => ({ stop: async () => undefined }),
  );
  const stream = streamOf(freshCategory());
  void appender.append(stream, 'any', prepare(stream, [event()]));
  process.stdout.write('appending\n');
});
