import process from 'node:process';
import sharp from 'sharp';
import { Refusal } from '../../contracts/codes.ts';
import { errorCode } from '../error-code.ts';
import { type PictureReport, PictureTask } from './picture-task.ts';
import { reencode } from './reencode.ts';

/*
 * A process that re-encodes pictures, one after the other, for `pictures.ts`. The decoders read untrusted
 * bytes: they run apart from the program and its secrets, below its priority, and can be killed at any time.
 */

sharp.concurrency(1);
sharp.cache(false);

function report(message: PictureReport): void {
  process.send?.(message);
}

async function carryOut(message: unknown): Promise<PictureReport> {
  try {
    const { file, target, side } = PictureTask.parse(message);
    return { type: 'written', extension: await reencode(file, target, side) };
  } catch (error) {
    if (error instanceof Refusal && (error.reason === 'illegal' || error.reason === 'tooLarge')) {
      return { type: 'refused', reason: error.reason, message: error.message };
    }
    const code = errorCode(error);
    return { type: 'failed', message: String(error), ...(code === undefined ? {} : { code }) };
  }
}

process.on('message', (message) => {
  void carryOut(message).then(report);
});
// The program has ended, however it did. An orderly exit would wait for the decoder.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
report({ type: 'started' });
