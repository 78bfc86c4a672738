import sharp, { type Metadata, type SharpOptions } from 'sharp';
import { Refusal } from '../../contracts/codes.ts';

/** The most pixels of a side: more than any camera has, and the most that WebP can hold. */
export const maxSide = 16_384;

/** The most pixels of all frames together: decoding takes 4 bytes each, and up to a second of a core. */
export const maxPixels = 64_000_000;

/** The most frames of an animation: each costs time beside its pixels. */
export const maxFrames = 1_000;

/** How a picture from anyone is decoded: broken ones are refused, and at most `maxPixels` are allocated. */
export const wary: SharpOptions = { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true };

/**
 * Looks at a picture's header, before anything is decoded.
 * @throws Refusal tooLarge if it exceeds a bound; what sharp throws if it is no picture
 */
export async function measure(file: string): Promise<Metadata> {
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
