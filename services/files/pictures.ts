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

/** An avatar is shown small; one of a camera's size would have to be made small for each who sees it. */
export const avatarSide = 1024;

/** Decoding takes memory and all of a core. */
const turns = new FewAtOnce(2, 200);
const longestSeconds = 30;

/**
 * Decodes a picture and writes it anew as the same kind: upright, without metadata, an animation
 * still moving. What was hidden in the bytes is not in the new ones.
 * @param side the most pixels of a side; a larger picture is made smaller. By default any number
 * @returns the kind, which is the extension of its name
 * @throws Refusal illegal where it is no whole PNG, JPEG, GIF or WebP; notReady where too many wait
 */
export async function reencode(file: string, target: string, side?: number): Promise<string> {
  const extension = (await fileTypeFromFile(file))?.ext ?? '';
  const encoder = encoders[extension];
  if (!encoder) throw new Refusal('illegal', '参数file不合法,只支持PNG、JPEG、GIF、WebP图片');
  if (!turns.open) throw new Refusal('notReady');
  const { animated, encode } = encoder;
  await turns.take(async () => {
    const picture = sharp(file, { ...wary, animated }).timeout({ seconds: longestSeconds });
    const within = side === undefined ? picture : shrink(picture, side);
    const bytes = await encode(within)
      .toBuffer()
      .catch(() => {
        throw new Refusal('illegal', '参数file不合法,图片无法识别');
      });
    await writeFile(target, bytes, { flag: 'wx', flush: true });
  });
  return extension;
}

function shrink(picture: Sharp, side: number): Sharp {
  return picture.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
}
