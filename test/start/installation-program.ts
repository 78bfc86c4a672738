import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { openInstallation } from '../../services/installation.ts';
import { runProgram } from '../../services/lifecycle.ts';
import { explainListening } from '../../services/listening.ts';

/**
 * The one-process installation without API and gateway: what the tests of starting and ending start.
 * It prints in one line of JSON on stdout what it runs on; `/slow` is answered after a moment.
 */
await runProgram(async (program) => {
  const installation = await openInstallation(program);
  const { host, port } = program.environment;
  const server = createServer(async (request, response) => {
    if (request.url === '/slow') {
      process.stdout.write('a slow request\n');
      await delay(300);
    }
    response.end(request.url);
  });
  await program.start(
    'http',
    () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(explainListening(error, { host, port })));
        server.listen(port, host, resolve);
      }),
    () => ({ stop: () => new Promise<void>((resolve) => server.close(() => resolve())) }),
  );
  process.stdout.write(`${JSON.stringify({ ...installation, address: server.address() })}\n`);
});
