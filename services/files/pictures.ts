import { writeFile } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import sharp, { type Sharp, type SharpOptions } from 'sharp';
import { Refusal } from '../../contracts/codes.ts';
import { FewAtOnce } from './few-at-once.ts';

/** More pixels than these, over all frames, are a bomb and no picture. */
const mostPixels = 64_000_000;

/** How a picture is opened, whoever sent it. */
export const wary: SharpOptions = { limitInputPixels: mostPixels, failOn: 'error', sequentialRead: true };

/** How each kind is written again, by what the bytes are. */
const encoders: Readonly<Record<string, { animated: boolean; encode: (picture: Sharp) => Sharp }>> = {
  png: { animated: false, encode: (picture) => picture.autoOrient().png() },
  jpg: { animated: false, encode: (picture) => picture.autoOrient().jpeg({ quality: 88 }) },
  gif: { animated: true, encode: (picture) => picture.gif({ effort: 3 }) },
  webp: { animated: true, encode: (picture) => picture.webp({ quality: 88, effort: 2 }) },
};

/** Decoding takes memory and all of a core. */
const turns = new FewAtOnce(2, 200);
const longestSeconds = 30;

/**
 * Decodes a picture and writes it anew as the same kind: upright, without metadata, an animation
 * still moving. What was hidden in the bytes is not in the new ones.
 * @returns the kind, which is the extension of its name
 * @throws Refusal illegal where it is no whole PNG, JPEG, GIF or WebP; notReady where too many wait
 */
export async function reencode(file: string, target: string): Promise<string> {
  const extension = (await fileTypeFromFile(file))?.ext ?? '';
  const encoder = encoders[extension];
  if (!encoder) throw new Refusal('illegal', '参数file不合法,只支持PNG、JPEG、GIF、WebP图片');
  if (!turns.open) throw new Refusal('notReady');
  const { animated, encode } = encoder;
  await turns.take(async () => {
    const picture = sharp(file, { ...wary, animated }).timeout({ seconds: longestSeconds });
    const bytes = await encode(picture)
      .toBuffer()
      .catch(() => {
        throw new Refusal('illegal', '参数file不合法,图片无法识别');
      });
    await writeFile(target, bytes, { flag: 'wx', flush: true });
  });
  return extension;
}
