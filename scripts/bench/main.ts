import { Command } from 'commander';

/** What one file of this folder exports as `bench`. */
export interface Bench {
  /** One line for `--help`. */
  readonly summary: string;
  /** Adds the options; `run` gets their values. */
  readonly options?: (command: Command) => Command;
  /** Measures and prints. */
  run(options: Readonly<Record<string, unknown>>): Promise<void>;
}

/** The benchmarks by name; each is loaded only when it is asked for. */
const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  log: () => import('./log.ts'),
  apart: () => import('./apart.ts'),
  audit: () => import('./audit.ts'),
  chat: () => import('./chat.ts'),
  crashes: () => import('./crashes.ts'),
  fanout: () => import('./fanout.ts'),
  history: () => import('./history.ts'),
  hostile: () => import('./hostile.ts'),
  home: () => import('./home.ts'),
  memory: () => import('./memory.ts'),
  rebuild: () => import('./rebuild.ts'),
  newcomer: () => import('./newcomer.ts'),
  sizes: () => import('./sizes.ts'),
  sockets: () => import('./sockets.ts'),
  start: () => import('./start.ts'),
};

async function main(): Promise<void> {
  const program = new Command('bench').description('Measures parts of bubble-im on this machine.');
  const wanted = process.argv[2] ?? '';
  for (const [name, load] of Object.entries(benches)) {
    if (wanted in benches && wanted !== name) continue;
    const { bench } = await load();
    const command = program.command(name).description(bench.summary);
    (bench.options?.(command) ?? command).action((options) => bench.run(options));
  }
  await program.parseAsync();
}

await main();
