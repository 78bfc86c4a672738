import sharp from 'sharp';
import svgCaptcha from 'svg-captcha';
import { expect, test } from 'vitest';
import { drawCaptcha } from '../../services/drawing/captcha-picture.ts';

const [width, height, letters, step] = [200, 80, 4, 2];
const slotWidth = width / letters;
const alphabet = [...'023468ABCDEFGHJKMNPQRTUVWXYabcdefhjkmnprtuvwxy7'];

/** As the letters of a picture are drawn before they are bent. */
const plainly = { noise: 0, width, height, fontSize: 100 };

/** A picture as ink of -1 to 1 around its mean, every second pixel of it. */
type Shape = Float64Array;

async function pixels(picture: Buffer): Promise<(x: number, y: number) => number> {
  const image = sharp(picture).flatten({ background: 'white' }).greyscale().median(3);
  const raw = await image.raw().toBuffer();
  return (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 255 : (raw[y * width + x] ?? 255));
}

function shapeAt(pixel: (x: number, y: number) => number, left: number, top: number): Shape {
  const shape: number[] = [];
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < slotWidth; x += step) shape.push(255 - pixel(left + x, top + y));
  }
  const mean = shape.reduce((sum, ink) => sum + ink, 0) / shape.length;
  const length = Math.hypot(...shape.map((ink) => ink - mean)) || 1;
  return Float64Array.from(shape, (ink) => (ink - mean) / length);
}

const alike = (one: Shape, other: Shape) => one.reduce((sum, ink, at) => sum + ink * (other[at] ?? 0), 0);

/** A script that knows the font, its size and the place of each letter, and compares letters at nearby places. */
async function solver() {
  const templates = await Promise.all(
    alphabet.map(async (letter) => {
      const { data } = svgCaptcha.create({ charPreset: letter, size: letters, ...plainly });
      const pixel = await pixels(Buffer.from(data));
      return {
        letter,
        shapes: Array.from({ length: letters }, (_, slot) => shapeAt(pixel, slot * slotWidth, 0)),
      };
    }),
  );
  return async (picture: Buffer): Promise<string> => {
    const pixel = await pixels(picture);
    return Array.from({ length: letters }, (_, slot) => {
      let best = { letter: '', score: -1 };
      for (const [x, y] of [-4, 0, 4].flatMap((x) => [-4, 0, 4].map((y) => [x, y] as const))) {
        const seen = shapeAt(pixel, slot * slotWidth + x, y);
        for (const { letter, shapes } of templates) {
          const score = alike(seen, shapes[slot] ?? seen);
          if (score > best.score) best = { letter, score };
        }
      }
      return best.letter;
    }).join('');
  };
}

test('a script that knows the font reads plain letters, and hardly any of the pictures', async () => {
  const solve = await solver();
  let plain = 0;
  let solved = 0;
  for (let round = 0; round < 20; round++) {
    const { text, data } = svgCaptcha.create({ ...plainly, charPreset: alphabet.join('') });
    if ((await solve(Buffer.from(data))).toLowerCase() === text.toLowerCase()) plain += 1;
    const { text: answer, picture } = await drawCaptcha();
    if ((await solve(Buffer.from(picture))).toLowerCase() === answer.toLowerCase()) solved += 1;
  }
  expect(plain).toBeGreaterThanOrEqual(16);
  // It reads 4 of 100 on average, so more than 6 of 20 about once in 100,000 runs.
  expect(solved).toBeLessThanOrEqual(6);
}, 60_000);

test('a picture is a PNG of pixels, another each time', async () => {
  const [one, other] = [await drawCaptcha(), await drawCaptcha()];
  expect(await sharp(one.picture).metadata()).toMatchObject({ format: 'png', width, height });
  expect(Buffer.from(one.picture).equals(other.picture)).toBe(false);
  expect(one.text).toMatch(/^[a-zA-Z0-9]{4}$/);
});
