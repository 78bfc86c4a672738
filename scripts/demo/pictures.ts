import sharp from 'sharp';

/** The side of a picture of a person, in pixels. */
const side = 256;

/** A photo: mountains before a sky, 960 × 640. */
const photo = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="640">
  <defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
    <stop offset="0" stop-color="#f9a26c"/><stop offset="0.6" stop-color="#fde3c3"/></linearGradient></defs>
  <rect width="960" height="640" fill="url(#sky)"/>
  <circle cx="690" cy="210" r="64" fill="#fff4d6"/>
  <path d="M0 430 L190 250 L330 380 L500 190 L700 410 L820 320 L960 440 V640 H0 Z" fill="#7c8fb5"/>
  <path d="M0 520 L240 380 L430 500 L640 360 L960 540 V640 H0 Z" fill="#41557f"/>
  <path d="M0 590 L300 520 L620 580 L960 510 V640 H0 Z" fill="#22304f"/>
</svg>`;

/** Draws the picture of a person: two colours, as a PNG. */
export function drawAvatar([outer, inner]: readonly [string, string]): Promise<Uint8Array<ArrayBuffer>> {
  return draw(`<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">
    <rect width="${side}" height="${side}" fill="${outer}"/>
    <circle cx="128" cy="104" r="52" fill="${inner}"/>
    <path d="M28 256 C36 176 84 160 128 160 C172 160 220 176 228 256 Z" fill="${inner}"/>
  </svg>`);
}

/** Draws a photo, as a PNG. */
export const drawPhoto = (): Promise<Uint8Array<ArrayBuffer>> => draw(photo);

async function draw(svg: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await sharp(Buffer.from(svg)).png().toBuffer());
}
