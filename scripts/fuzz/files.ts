import sharp from 'sharp';
import type { Random } from './random.ts';

/** Files to upload: pictures that are right, cut or lies, and other bytes. */
export async function makeFiles(random: Random): Promise<readonly Buffer[]> {
  const plain = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#246' } });
  const png = await plain(40, 30).png().toBuffer();
  const jpeg = await plain(64, 64).jpeg().toBuffer();
  const webp = await plain(20, 20).webp().toBuffer();
  const wide = await plain(16_385, 1).png().toBuffer();
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  const lying = Buffer.from(png);
  // Says that it is 2^31 − 1 pixels wide.
  lying.writeUInt32BE(0x7fffffff, 16);
  return [
    ...[png, jpeg, webp, wide, svg, lying],
    ...[png.subarray(0, png.length - 20), jpeg.subarray(0, 200), Buffer.concat([png, random.bytes(500)])],
    ...[Buffer.alloc(0), Buffer.from('MZ'), Buffer.from('<html><script>1</script>'), random.bytes(3000)],
    Buffer.concat([Buffer.from('GIF89a'), random.bytes(100)]),
    Buffer.alloc(400_000, 'x'),
  ];
}
