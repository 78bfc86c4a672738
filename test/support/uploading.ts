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

/** The same, where it is to succeed. */
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

/** The bytes that a pipeline gives, as a page holds them. */
export async function plain(made: Sharp): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await made.toBuffer());
}
