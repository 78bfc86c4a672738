import { crc32, deflateSync } from 'node:zlib';
import QRCode from 'qrcode';

const scale = 6;
/** The white border, in modules. */
const margin = 2;

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Draws the QR code of a text as a PNG of one bit per pixel, in a tenth of the time that the QR library takes for
 * its own coloured PNG. It still takes about 15 ms for 1 KB: not for the main thread.
 */
export function drawCode(content: string): Buffer {
  const { modules } = QRCode.create(content, { errorCorrectionLevel: 'M' });
  const side = (modules.size + 2 * margin) * scale;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const lines = linesOf(modules, side);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The lines of the picture, each after the byte that says it is not filtered; a set bit is white. */
function linesOf({ size, data }: { readonly size: number; readonly data: Uint8Array }, side: number): Buffer {
  const bytes = 1 + Math.ceil(side / 8);
  const lines = Buffer.alloc(bytes * side, 0xff);
  for (let y = 0; y < side; y++) lines[y * bytes] = 0;
  for (let row = 0; row < size; row++) {
    const top = (row + margin) * scale;
    const line = lines.subarray(top * bytes, (top + 1) * bytes);
    for (let column = 0; column < size; column++) {
      if (data[row * size + column]) blacken(line, (column + margin) * scale);
    }
    for (let y = top + 1; y < top + scale; y++) line.copy(lines, y * bytes);
  }
  return lines;
}

function blacken(line: Buffer, left: number): void {
  for (let x = left; x < left + scale; x++) {
    const at = 1 + (x >> 3);
    line[at] = (line[at] ?? 0) & ~(0x80 >> (x & 7));
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
