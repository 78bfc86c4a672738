import { writeFile } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { Refusal } from '../../contracts/codes.ts';
import { maxFrames, maxPixels, maxSide, wary } from './picture-bounds.ts';
import { privateFile } from './private.ts';

/** The encoder of each kind of picture, by the kind that the bytes have. */
const encoders: Readonly<Record<string, { animated: boolean; encode: (picture: Sharp) => Sharp }>> = {
  png: { animated: false, encode: (picture) => picture.png() },
  jpg: { animated: false, encode: (picture) => picture.jpeg({ quality: 88 }) },
  gif: { animated: true, encode: (picture) => picture.gif({ effort: 3 }) },
  webp: { animated: true, encode: (picture) => picture.webp({ quality: 88, effort: 2 }) },
};

/**
 * Decodes a picture and encodes it again as the same kind: upright, without metadata; animations stay animated.
 * Nothing that was hidden in the bytes remains.
 * @param side the most pixels of a side; a larger picture is made smaller. By default any number
 * @returns the kind, which is the extension of its name
 * @throws Refusal tooLarge; illegal if it is no whole PNG, JPEG, GIF or WebP; what the disk throws
 */
export async function reencode(file: string, target: string, side?: number): Promise<string> {
  const extension = (await fileTypeFromFile(file))?.ext ?? '';
  const encoder = encoders[extension];
  if (!encoder) throw Refusal.illegal('file', ',只支持PNG、JPEG、GIF、WebP图片');
  const metadata = await measure(file).catch(refuseUnreadable);
  const picture = upright(sharp(file, { ...wary, animated: encoder.animated }), metadata);
  const within = side === undefined ? picture : shrink(picture, side);
  const bytes = await encoder.encode(within).toBuffer().catch(refuseUnreadable);
  await writeFile(target, bytes, { flag: 'wx', mode: privateFile, flush: true });
  return extension;
}

function refuseUnreadable(error: unknown): never {
  throw error instanceof Refusal ? error : Refusal.illegal('file', ',图片无法识别');
}

/** Turns a picture as its metadata says, which the new one lacks. Frames of an animation cannot be turned. */
function upright(picture: Sharp, { pages = 1 }: Metadata): Sharp {
  return pages > 1 ? picture : picture.autoOrient();
}

function shrink(picture: Sharp, side: number): Sharp {
  return picture.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
}

/**
 * Looks at a picture's header, before anything is decoded.
 * @throws Refusal tooLarge if it exceeds a bound; what sharp throws if it is no picture
 */
async function measure(file: string): Promise<Metadata> {
  const metadata = await sharp(file, { limitInputPixels: false }).metadata();
  const { width, height, pageHeight = height, pages: frames = 1 } = metadata;
  if (width > maxSide || pageHeight > maxSide) {
    throw new Refusal('tooLarge', `图片的宽和高不能超过${maxSide}像素`);
  }
  if (frames > maxFrames) throw new Refusal('tooLarge', `动图不能超过${maxFrames}帧`);
  if (width * pageHeight * frames > maxPixels) {
    const total = frames > 1 ? '所有帧的像素总数' : '图片';
    throw new Refusal('tooLarge', `${total}不能超过${maxPixels / 10_000}万像素`);
  }
  return metadata;
}
