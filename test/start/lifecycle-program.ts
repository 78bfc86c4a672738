import { setTimeout as delay } from 'node:timers/promises';
import { runProgram } from '../../services/lifecycle.ts';

/** Three parts that print what happens to them; the argument says what goes wrong. */
const wrong = process.argv[2];
const print = (line: string) => void process.stdout.write(`${line}\n`);

await runProgram(
  async (program) => {
    for (const name of ['first', 'second', 'third']) {
      await program.start(
        name,
        async () => {
          print(`${name} starts`);
          if (name === 'third' && wrong === 'start fails') throw new Error('no third today');
          if (name === 'second' && wrong === 'start is slow') await delay(500);
        },
        () => ({
          async stop() {
            print(`${name} stops`);
            if (name === 'second' && wrong === 'stop fails') throw new Error('will not');
            if (name === 'second' && wrong?.startsWith('stop hangs')) await delay(60_000);
            await delay(20);
            print(`${name} stopped`);
          },
          abandon: () => print(`${name} abandoned`),
        }),
      );
    }
    print('all run');
    if (wrong === 'a part fails') program.fail('second', new Error('broken'));
    if (wrong === 'nobody catches') void Promise.reject(new Error('thrown away'));
  },
  { stopTimeoutMs: wrong === 'stop hangs, with a short timeout' ? 200 : 10_000 },
);
