import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Pictures } from '../../services/files/pictures.ts';
import { temporaryFolder } from '../support/folder.ts';
import { niceValues, pictureProcesses, slowPicture } from '../support/picture-processes.ts';
import { picture } from '../support/uploading.ts';

async function open(maxMs?: number) {
  const folder = await temporaryFolder();
  const pictures = new Pictures(maxMs);
  onTestFinished(() => pictures.close());
  let files = 0;
  return {
    pictures,
    write: async (bytes: Uint8Array, person = 'tom', signal?: AbortSignal) => {
      const file = join(folder, `${++files}`);
      await writeFile(file, bytes);
      await pictures.reencode({ person, file, target: `${file}.new`, signal });
      return `${file}.new`;
    },
  };
}

describe('pictures that are encoded again', () => {
  test('too slowly are refused, and their work stops', async () => {
    const { write } = await open(300);
    const before = pictureProcesses();
    await expect(write(await slowPicture())).rejects.toMatchObject({
      reason: 'tooLarge',
      message: '图片过于复杂,无法处理',
    });
    await expect.poll(() => pictureProcesses()).toEqual(before);
    const target = await write(await picture('png'));
    expect((await sharp(target).metadata()).format).toBe('png');
  });

  test('are given up at once when their sender disconnects, while encoded and while queued', async () => {
    const { write } = await open();
    const before = pictureProcesses();
    const leaving = new AbortController();
    const slow = await slowPicture();
    const given = [write(slow, 'tom', leaving.signal), write(slow, 'tom', leaving.signal)];
    await expect.poll(() => pictureProcesses().length, { timeout: 20_000 }).toBeGreaterThan(before.length);
    const settled = Promise.allSettled(given);
    leaving.abort();
    const refused = { status: 'rejected', reason: { reason: 'notReady' } };
    expect(await settled).toMatchObject([refused, refused]);
    await write(await picture('png'), 'tom');
  });

  test('do not hold up another person’s', async () => {
    const { write } = await open();
    const slow = await slowPicture();
    let slowOnes = 2;
    const all = Array.from({ length: slowOnes }, () =>
      write(slow, 'tom')
        .catch(() => undefined)
        .finally(() => slowOnes--),
    );
    await write(await picture('png'), 'jerry');
    expect(slowOnes).toBeGreaterThanOrEqual(1);
    await Promise.all(all);
  });

  test.each([
    ['20 of one person', 1 + 20, () => 'tom', 'tooMany'],
    ['200 of all together', 2 + 200, (number: number) => `person ${number}`, 'notReady'],
  ])('wait, %s, and the next is refused', async (_, accepted, personOf, reason) => {
    const { pictures, write } = await open();
    const file = await write(await picture('png'));
    const given = Array.from({ length: accepted + 1 }, (_, number) =>
      pictures.reencode({ person: personOf(number), file, target: `${file}.${number}` }),
    );
    await expect(given.pop()).rejects.toMatchObject({ reason });
    await Promise.all(given);
  });

  test('leave the processors to requests: each thread that decodes has a lower priority', async () => {
    const before = pictureProcesses();
    const { write } = await open();
    await write(await picture('png'));
    const [pid] = pictureProcesses().filter((process) => !before.includes(process));
    const values = niceValues(pid ?? 0);
    expect(values.length).toBeGreaterThan(4);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(10);
  });

  test('in a process that is killed fail, and the next are written', async () => {
    const { write } = await open();
    const before = pictureProcesses();
    const slow = write(await slowPicture());
    await expect.poll(() => pictureProcesses().length, { timeout: 20_000 }).toBeGreaterThan(before.length);
    const failed = expect(slow).rejects.toThrow('a picture process ended (SIGKILL)');
    for (const pid of pictureProcesses()) if (!before.includes(pid)) process.kill(pid, 'SIGKILL');
    await failed;
    await write(await picture('png'));
  });

  test('onto a full disk fail with the disk’s error', async () => {
    const { pictures, write } = await open();
    const file = await write(await picture('png'));
    const nowhere = pictures.reencode({ person: 'tom', file, target: '/proc/nowhere/file' });
    await expect(nowhere).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('leave no process behind', async () => {
    const before = pictureProcesses();
    const { pictures, write } = await open();
    await write(await picture('png'));
    expect(pictureProcesses().length).toBe(before.length + 1);
    pictures.close();
    await expect.poll(() => pictureProcesses()).toEqual(before);
    await expect(write(await picture('png'))).rejects.toMatchObject({ reason: 'notReady' });
  });
});
