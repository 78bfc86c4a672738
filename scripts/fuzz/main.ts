import { Command, InvalidArgumentError } from 'commander';
import { fuzz } from './fuzz.ts';

function count(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('a whole number is wanted');
  return number;
}

const command = new Command('fuzz')
  .description(
    'Sends random requests and frames to a bubble-im of its own, and reports what must not happen.',
  )
  .option('--requests <n>', 'how many requests', count, 1_000)
  .option('--frames <n>', 'how many websocket frames', count, 200)
  .option('--seed <n>', 'decides all choices: the same seed makes the same requests', count, 1)
  .option('--lanes <n>', 'how many requests are under way at once', count, 6)
  .option('--seconds <n>', 'ends earlier, after this time', count, 3_600)
  .addHelpText(
    'after',
    `
Examples:
  npm run fuzz -- --requests 20000 --seed 7
  npm run fuzz -- --requests 0 --frames 5000
  npm run fuzz -- --requests 2000 --lanes 1     one after the other, so that a seed repeats its order, too

It ends with code 1 if it has found something, and prints what caused it.`,
  )
  .parse();

const { requests, frames, seed, lanes, seconds } = command.opts<{
  requests: number;
  frames: number;
  seed: number;
  lanes: number;
  seconds: number;
}>();
process.exitCode = (await fuzz({ requests, frames, seed, lanes: Math.max(1, lanes), seconds })) ? 0 : 1;
