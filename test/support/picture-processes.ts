import { readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';

/** The processes, by pid, in which this process has pictures written anew. Linux only. */
export function pictureProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const [, parent] = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
      return Number(parent) === process.pid && read(pid, 'cmdline').includes('picture-worker');
    });
}

/** The nice values of all threads of a process. Linux only. */
export function niceValues(pid: number): number[] {
  const afterName = 16;
  return readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(read(pid, `task/${thread}/stat`).split(') ').at(-1)?.split(' ')[afterName]),
  );
}

let slow: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** A picture of 64 megapixels, within all bounds, that takes seconds to write anew. */
export function slowPicture(): Promise<Uint8Array<ArrayBuffer>> {
  slow ??= drawSlowPicture();
  return slow;
}

async function drawSlowPicture(): Promise<Uint8Array<ArrayBuffer>> {
  const [side, channels] = [500, 3] as const;
  const noise = Buffer.alloc(side * side * channels);
  for (let index = 0; index < noise.length; index++) noise[index] = index * 7 + (index >> 8) * 13;
  const enlarged = sharp(noise, { raw: { width: side, height: side, channels } }).resize(8_000, 8_000);
  return new Uint8Array(await enlarged.webp({ quality: 1, effort: 0 }).toBuffer());
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
