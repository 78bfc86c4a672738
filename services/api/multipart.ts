import { stat } from 'node:fs/promises';
import { finished } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { ReceivedFile } from '../../contracts/http/upload.ts';
import type { Incoming } from '../files/incoming.ts';
import { readMultipartForm } from './bodies/multipart-form.ts';
import { type Part, readParts } from './bodies/multipart-parts.ts';
import { formOf, maxBodyBytes, readText } from './form.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Bytes of a request besides its file. */
const maxOverheadBytes = 64 * 1024;

/** The body of a request that is multipart, and not read yet. */
const unread = Symbol('a multipart body');

/** Accepts multipart bodies. Who answers the request reads them: `readFields`, `readUpload`. */
export function acceptMultipart(server: FastifyInstance): void {
  server.addContentTypeParser('multipart/form-data', (_request, _payload, done) => done(null, unread));
}

/** Whether the body of a request is multipart, and so not read yet. */
export function isMultipart({ body }: FastifyRequest): boolean {
  return body === unread;
}

/**
 * Reads the fields of a multipart body as those of a form.
 * @param maxBytes of the body
 * @throws Refusal illegal for a file, tooLarge, unreadable
 */
export async function readFields(request: FastifyRequest, maxBytes: number): Promise<Fields> {
  const { raw, headers } = request;
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw new Refusal('tooLarge');
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // It also reports a client that has gone before, while its call waited.
  finished(raw, (error) => (error ? reject(new Refusal('unreadable')) : resolve()));
  // What is beyond the limit is discarded, so that the client reads the answer.
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else reject(new Refusal('tooLarge'));
  });
  await promise;
  return readMultipartForm(headers['content-type'], Buffer.concat(chunks));
}

/**
 * Writes the `file` of a multipart body to the disk while it arrives, and reads the fields; other files are ignored.
 * @param maxBytes of the file
 * @param reserveBytes of the disk that must stay free
 * @throws Refusal tooLarge, noSpace, unreadable; what the disk throws
 */
export async function readUpload(
  request: FastifyRequest,
  incoming: Incoming,
  maxBytes: number,
  reserveBytes: number,
): Promise<{ fields: Fields; file: ReceivedFile | undefined }> {
  let file: ReceivedFile | undefined;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + maxOverheadBytes) throw tooLarge(maxBytes);
  try {
    const sizes = { file: maxBytes, fields: maxBodyBytes };
    const fields = await readUploadParts(request, sizes, async ({ name, filename = '', content }) => {
      if (name !== 'file' || filename === '' || file) {
        content.resume();
        return;
      }
      const place = await incoming.receive(content, reserveBytes);
      file = new ReceivedFile(place, shownName(filename), (await stat(place)).size);
      if (content.truncated) throw tooLarge(maxBytes);
    });
    return { fields, file };
  } catch (error) {
    if (file) await incoming.discard(file.place);
    throw error instanceof Refusal && error.reason === 'tooLarge' ? tooLarge(maxBytes) : error;
  }
}

const tooLarge = (maxBytes: number) =>
  new Refusal('tooLarge', `文件不能超过${Math.floor(maxBytes / 1024 / 1024)}MB`);

/** Reads the parts of an upload: hands the files to `receive`, and returns the fields. */
async function readUploadParts(
  request: FastifyRequest,
  maxBytes: { readonly file: number; readonly fields: number },
  receive: (part: Part) => Promise<void>,
): Promise<Fields> {
  const entries: [string, string][] = [];
  let bytes = 0;
  await readParts(request.raw, Math.max(maxBytes.file, maxBytes.fields), async (part) => {
    if (isFile(part)) return receive(part);
    const value = await bytesOf(part, maxBytes.fields - bytes);
    bytes += value.length + part.name.length;
    if (bytes > maxBytes.fields) throw new Refusal('tooLarge');
    entries.push([part.name, readText(value)]);
  });
  return formOf(entries);
}

/** Whether a part is a file and not a field of the form. */
function isFile({ filename, type }: Part): boolean {
  return filename !== undefined || type === 'application/octet-stream';
}

async function bytesOf({ content }: Part, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > max) throw new Refusal('tooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The name that is shown: at most 255 characters, without those that break a line or a message, or change the
 * direction of text, which would make `gpj.exe` look like `exe.jpg`.
 */
function shownName(name: string): string {
  const visible = name.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}]/gu, '');
  return [...visible].slice(0, 255).join('');
}
