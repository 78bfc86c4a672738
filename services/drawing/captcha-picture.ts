import { randomInt } from 'node:crypto';
import sharp from 'sharp';
import svgCaptcha from 'svg-captcha';

const width = 200;
const height = 80;
const letters = 4;

/** Leaves out letters and digits that are easily confused, also after bending. */
const drawn = {
  size: letters,
  noise: 0,
  width,
  height,
  fontSize: 100,
  ignoreChars: '0oO1iIlL9gq5sS2zZ',
};

/** A text, and the picture that shows it as a PNG. */
export interface Captcha {
  readonly text: string;
  readonly picture: Uint8Array;
}

/** How much of each pixel is covered by ink, from 0 to 1, line by line. */
type Ink = Float64Array;

/**
 * Draws a random text that people can read and scripts cannot easily: as pixels, since the paths of an SVG reveal
 * the letters. The letters are rotated and bent, and touch each other. Lines of the same thickness are drawn over
 * them and cut out of them, so that neither colours nor connected areas separate letters from noise. It takes 7 ms of a core:
 * not for the main thread.
 */
export async function drawCaptcha(): Promise<Captcha> {
  const { text, data } = svgCaptcha.create(drawn);
  const plain = await sharp(Buffer.from(data)).ensureAlpha().extractChannel('alpha').raw().toBuffer();
  const ink = bend(plain);
  for (let line = 0; line < 2; line++) drawLine(ink, 1, uniform(0.8, 1.3));
  for (let line = 0; line < 2; line++) drawLine(ink, 0, uniform(0.6, 1));
  const raw = { width, height, channels: 1 } as const;
  return { text, picture: await sharp(paint(ink), { raw }).png().toBuffer() };
}

/** Rotates each letter by a random angle, and bends all of them in two waves. */
function bend(plain: Buffer): Ink {
  const angles = Array.from({ length: letters }, () => uniform(-0.32, 0.32));
  const [across, along] = [wave(3, 5, 45, 80), wave(3, 5, 60, 100)];
  const ink = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [bentX, bentY] = [x + across(y), y + along(x)];
      const slot = Math.min(letters - 1, Math.max(0, Math.floor((bentX / width) * letters)));
      const [fromX, fromY] = turn(bentX, bentY, (slot + 0.5) * (width / letters), angles[slot] ?? 0);
      ink[y * width + x] = sample(plain, fromX, fromY);
    }
  }
  return ink;
}

function turn(x: number, y: number, centre: number, angle: number): [number, number] {
  const [right, down] = [x - centre, y - height / 2];
  return [
    centre + right * Math.cos(angle) - down * Math.sin(angle),
    height / 2 + right * Math.sin(angle) + down * Math.cos(angle),
  ];
}

/** The ink at a point between four pixels, interpolated. */
function sample(plain: Buffer, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const at = (column: number, row: number) =>
    column < 0 || row < 0 || column >= width || row >= height ? 0 : (plain[row * width + column] ?? 0) / 255;
  const [right, below] = [x - left, y - top];
  const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
  const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
  return upper * (1 - below) + lower * below;
}

/** Draws a wavy line from edge to edge: in ink (1), or erasing it (0). */
function drawLine(ink: Ink, colour: 0 | 1, radius: number): void {
  const [bow, start, slope] = [wave(6, 16, 60, 160), uniform(20, 60), uniform(-0.15, 0.15)];
  for (let x = 0; x < width; x++) {
    const middle = start + slope * (x - width / 2) + bow(x);
    for (let y = 0; y < height; y++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.abs(y - middle)));
      const before = ink[y * width + x] ?? 0;
      ink[y * width + x] = before + (colour - before) * cover;
    }
  }
}

/** Paints dark grey on light grey, with uneven brightness and grain. */
function paint(ink: Ink): Buffer {
  const [light, shade] = [wave(10, 20, 100, 300), wave(10, 20, 60, 200)];
  const grey = Buffer.alloc(width * height);
  for (const [at, cover] of ink.entries()) {
    const paper = 200 + light(at % width) + shade(Math.floor(at / width));
    grey[at] = Math.max(0, Math.min(255, paper - cover * 120 + uniform(-18, 18)));
  }
  return grey;
}

function wave(minHeight: number, maxHeight: number, minLength: number, maxLength: number) {
  const amplitude = uniform(minHeight, maxHeight);
  const length = uniform(minLength, maxLength);
  const phase = uniform(0, 2 * Math.PI);
  return (at: number) => amplitude * Math.sin((2 * Math.PI * at) / length + phase);
}

/** A random number in a range, not predictable from earlier ones. */
function uniform(min: number, max: number): number {
  return min + ((max - min) * randomInt(2 ** 24)) / 2 ** 24;
}
