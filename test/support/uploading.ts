import { readdir } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { z } from 'zod';
import { type RunningApplication, serverKey } from './application.ts';
import type { Envelope } from './client.ts';

const Uploaded = z.object({ src: z.string(), name: z.string(), size: z.string() });

/** A file as a page sends it. */
export interface Upload {
  readonly path?: string;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly name?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a file as a page does; answers the status and the envelope. */
export async function upload(
  { url }: RunningApplication,
  { path = '/upload/img', bytes, name = '图.png', fields = {}, headers = serverKey }: Upload,
): Promise<{ status: number; answer: Envelope }> {
  const body = new FormData();
  for (const [field, value] of Object.entries(fields)) body.append(field, value);
  if (bytes) body.append('file', new Blob([bytes]), name);
  const response = await fetch(`${url}/api${path}`, { method: 'POST', body, headers });
  const answer = z.object({ code: z.int(), msg: z.string(), data: z.unknown().optional() });
  return { status: response.status, answer: answer.parse(await response.json()) };
}

/** The same for an upload that must succeed. */
export async function uploaded(
  running: RunningApplication,
  given: Upload,
): Promise<z.infer<typeof Uploaded>> {
  const { answer } = await upload(running, given);
  return Uploaded.parse(answer.data);
}

/** Gets what an upload's `src` names. */
export function download(src: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http:${src}`, { headers });
}

/** A picture all in green. */
export function picture(
  format: 'png' | 'jpeg' | 'gif' | 'webp',
  { width = 40, height = 30 } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return plain(sharp({ create: { width, height, channels: 3, background: '#10d010' } }).toFormat(format));
}

/** A GIF of frames that differ, each of which has 15 bytes, whatever its width and height. */
export function gif({ frames, width = 1, height = 1 }: { frames: number; width?: number; height?: number }) {
  const bytes = Buffer.alloc(20 + 15 * frames + 1);
  bytes.write('GIF89a', 'latin1');
  bytes.writeUInt16LE(width, 6);
  bytes.writeUInt16LE(height, 8);
  // A palette of two colours, black and white.
  bytes.set([0x80, 0, 0, 0, 0, 0, 255, 255, 255], 10);
  // A pixel in the corner, black and white in turns.
  for (let frame = 0; frame < frames; frame++) {
    bytes.set([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, frame % 2 === 0 ? 0x44 : 0x4c, 1, 0], 19 + 15 * frame);
  }
  bytes[bytes.length - 1] = 0x3b;
  return new Uint8Array(bytes);
}

/** The bytes that a pipeline gives, as a page holds them. */
export async function plain(made: Sharp): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await made.toBuffer());
}

/** Begins an upload that never ends. */
export function sendForever(
  { url }: RunningApplication,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = serverKey,
): ClientRequest {
  const sending = request(`${url}/api/upload/file`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x', 'content-length': 10_000_000 },
  });
  sending.on('error', () => undefined);
  sending.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n');
  sending.write(bytes);
  return sending;
}

/** The files of uploads that are under way. */
export function uploadsUnderWay({ filesFolder }: RunningApplication): Promise<string[]> {
  return readdir(join(filesFolder, 'incoming'));
}

/** The UTF-8 bytes of a text. */
export function text(words: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(words);
}
