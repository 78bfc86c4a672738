import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { loadSharp } from './sharp.ts';

/** The package exports only its entry, in `dist` beside `fonts`. */
const entry = createRequire(import.meta.url).resolve('@embedpdf/fonts-sc');

/** Chinese, Japanese and Latin letters in one file, as the drawing library needs it. */
const font = join(dirname(entry), '../fonts/NotoSansHans-Regular.otf');

/** The name within the font. */
const family = 'Noto Sans S Chinese';

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

/** A silhouette, for people with neither a picture nor a letter in their name. */
const silhouette = (size: number) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 200 200">
  <rect width="200" height="200" fill="${background}"/>
  <circle cx="100" cy="78" r="36" fill="#fff"/>
  <path d="M30 200c0-46 31-72 70-72s70 26 70 72z" fill="#fff"/>
</svg>`);

/** The picture of people without one, served as `/static/img/avatar.jpg`. */
export async function drawDefaultAvatar(): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(silhouette(200)).jpeg({ quality: 85 }).toBuffer();
}

/** The initial of a name: its first letter or digit, in upper case; '' if it has none. */
export function initialOf(name: string): string {
  const [letter = ''] = /[\p{L}\p{N}]/u.exec(name) ?? [];
  return [...letter.toUpperCase()][0] ?? '';
}

/** Draws faces from letters. */
export interface Faces {
  /** A square PNG with an initial on the colour of that tint; the silhouette if the initial is ''. */
  draw(initial: string, tint: number, size: number): Promise<Buffer>;
}

/** How many drawn letters are kept, of up to 20 KB each: anybody may ask for a picture of many groups. */
const maxLetters = 2_000;

/** Draws with the font of a package: the machine may have none with Chinese letters. */
export function createFaces(): Faces {
  const drawn = new LRUCache<string, Buffer>({ max: maxLetters });
  return {
    async draw(initial, tint, size) {
      const colour = tints[tint % tints.length] ?? background;
      const key = initial === '' ? `${size}` : `${size} ${initial} ${colour}`;
      const known = drawn.get(key);
      if (known) return known;
      const face = await (initial === '' ? faceless(size) : letter(initial, colour, size));
      drawn.set(key, face);
      return face;
    },
  };
}

/** A square PNG with the silhouette. */
async function faceless(size: number): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(silhouette(size)).png().toBuffer();
}

/** A square PNG with a white letter on a colour. */
async function letter(initial: string, colour: string, size: number): Promise<Buffer> {
  const sharp = await loadSharp();
  const text = await sharp({
    text: {
      text: `<span foreground="white">${initial}</span>`,
      font: `${family} ${Math.round(size / 2)}`,
      fontfile: font,
      rgba: true,
      dpi: 72,
    },
  })
    .resize({ width: size, height: size, fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();
  return sharp({ create: { width: size, height: size, channels: 3, background: colour } })
    .composite([{ input: text, gravity: 'centre' }])
    .png()
    .toBuffer();
}
