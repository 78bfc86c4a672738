import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import sharp from 'sharp';
import { writeWhole } from './whole-file.ts';
import { unpackWoff } from './woff.ts';

const packed = '@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff';

/** The name within the font; the comma keeps its last word from being read as a weight. */
const family = 'Noto Sans SC Thin,';

const background = '#b8c0cc';
const tints = [
  '#4c8bf5',
  '#2fa887',
  '#e07b39',
  '#8b6fd6',
  '#d45d79',
  '#4f9bb0',
  '#7c9a3d',
  '#b0803f',
] as const;

/** A silhouette, for who has neither picture nor a letter in their name. */
const silhouette = (size: number) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 200 200">
  <rect width="200" height="200" fill="${background}"/>
  <circle cx="100" cy="78" r="36" fill="#fff"/>
  <path d="M30 200c0-46 31-72 70-72s70 26 70 72z" fill="#fff"/>
</svg>`);

/** The picture of who has none, as `/static/img/avatar.jpg`. */
export function drawDefaultAvatar(): Promise<Buffer> {
  return sharp(silhouette(200)).jpeg({ quality: 85 }).toBuffer();
}

/** The letter that stands for a name: its first that is one, in capitals; '' where there is none. */
export function initialOf(name: string): string {
  const [letter = ''] = /[\p{L}\p{N}]/u.exec(name) ?? [];
  return [...letter.toUpperCase()][0] ?? '';
}

/** Draws faces from letters. */
export interface Faces {
  /** A square PNG with an initial on the tint of a number; the silhouette where it is ''. */
  draw(initial: string, tint: number, size: number): Promise<Buffer>;
}

/** Lays the font out in `folder`, plain, as the drawing library needs it. */
export async function openFaces(folder: string): Promise<Faces> {
  const font = join(folder, 'noto-sans-sc-2.otf');
  if (!(await stat(font).catch(() => undefined))) {
    const source = createRequire(import.meta.url).resolve(packed);
    await writeWhole(font, unpackWoff(await readFile(source)));
  }
  return {
    async draw(initial, tint, size) {
      if (initial === '') return sharp(silhouette(size)).png().toBuffer();
      const text = await sharp({
        text: {
          text: `<span foreground="white">${initial}</span>`,
          font: `${family} ${Math.round(size / 2)}`,
          fontfile: font,
          rgba: true,
          dpi: 72,
        },
      })
        .png()
        .toBuffer();
      const colour = tints[tint % tints.length] ?? background;
      return sharp({ create: { width: size, height: size, channels: 3, background: colour } })
        .composite([
          {
            input: await sharp(text)
              .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
              .toBuffer(),
            gravity: 'centre',
          },
        ])
        .png()
        .toBuffer();
    },
  };
}
