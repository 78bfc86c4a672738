import type { SharpOptions } from 'sharp';

/** The most pixels of a side: more than any camera has, and the most that WebP can hold. */
export const maxSide = 16_384;

/** The most pixels of all frames together: decoding takes 4 bytes each, and up to a second of a core. */
export const maxPixels = 64_000_000;

/** The most frames of an animation: each costs time beside its pixels. */
export const maxFrames = 1_000;

/** How a picture from anyone is decoded: broken ones are refused, and at most `maxPixels` are allocated. */
export const wary: SharpOptions = { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true };
