import { stat } from 'node:fs/promises';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { ReceivedFile } from '../../contracts/http/upload.ts';
import type { Incoming } from '../files/incoming.ts';
import { delimiterOf, readMultipartForm } from './bodies/multipart-form.ts';
import { answerUnread } from './envelope.ts';
import { formOf, maxBodyBytes, readText } from './form.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Bytes of a request besides its file. */
const maxOverheadBytes = 64 * 1024;

/** Parts of an upload, each of which takes 30 µs of the only thread: the file, and a few fields. */
const maxUploadParts = 100;

/** Bytes of the headers of a part: they hold the name of a file, which has up to 255 characters. */
const maxPartHeaderBytes = 8 * 1024;

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
  raw.on('end', resolve).on('error', reject);
  raw.on('close', () => reject(new Refusal('unreadable')));
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
    const fields = await readParts(request, { file: maxBytes, fields: maxBodyBytes }, async (part) => {
      if (part.fieldname !== 'file' || part.filename === undefined || part.filename === '' || file) {
        part.file.resume();
        return;
      }
      const place = await incoming.receive(part.file, reserveBytes);
      file = new ReceivedFile(place, shownName(part.filename), (await stat(place)).size);
      if (part.file.truncated) throw tooLarge(maxBytes);
    });
    return { fields, file };
  } catch (error) {
    if (file) await incoming.discard(file.place);
    throw error instanceof Refusal && error.reason === 'tooLarge' ? tooLarge(maxBytes) : error;
  }
}

const tooLarge = (maxBytes: number) =>
  new Refusal('tooLarge', `文件不能超过${Math.floor(maxBytes / 1024 / 1024)}MB`);

/**
 * Stops reading an upload of too many parts: the library would go on to parse them all. A delimiter between two
 * packets is not counted.
 * @throws Refusal unreadable
 */
function cutManyParts({ raw, headers }: FastifyRequest): void {
  const delimiter = delimiterOf(headers['content-type']);
  let delimiters = 0;
  const count = (chunk: Buffer) => {
    for (let at = chunk.indexOf(delimiter); at !== -1; at = chunk.indexOf(delimiter, at + 1)) delimiters += 1;
    // The last one ends the body. One part more is refused by the library, and its connection stays.
    if (delimiters <= maxUploadParts + 1) return;
    raw.off('data', count).unpipe();
    raw.socket.pause();
    answerUnread('tooLarge', raw.socket);
  };
  raw.on('data', count);
}

async function readParts(
  request: FastifyRequest,
  maxBytes: { readonly file: number; readonly fields: number },
  receive: (part: MultipartFile) => Promise<void>,
): Promise<Fields> {
  const entries: [string, string][] = [];
  let bytes = 0;
  try {
    const limits = {
      ...{ parts: maxUploadParts, files: maxUploadParts, headerSize: maxPartHeaderBytes },
      fileSize: Math.max(maxBytes.file, maxBytes.fields),
    };
    cutManyParts(request);
    // The library would decode fields itself, and turn bytes that are no UTF-8 into other characters.
    for await (const part of request.parts({ limits, isPartAFile: () => true })) {
      if (part.type !== 'file') continue;
      if (isFile(part)) {
        await receive(part);
        continue;
      }
      const value = await bytesOf(part, maxBytes.fields - bytes);
      bytes += value.length + part.fieldname.length;
      if (bytes > maxBytes.fields) throw new Refusal('tooLarge');
      entries.push([part.fieldname, readText(value)]);
    }
  } catch (error) {
    // The rest of the body is discarded, so that the client reads the answer.
    request.raw.unpipe();
    request.raw.resume();
    throw isParserError(error) ? new Refusal('unreadable') : error;
  }
  return formOf(entries);
}

/** Whether a part is a file and not a field of the form. */
function isFile({ filename, mimetype }: MultipartFile): boolean {
  return filename !== undefined || mimetype === 'application/octet-stream';
}

async function bytesOf({ file }: MultipartFile, max: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file) {
    bytes += chunk.length;
    if (bytes > max) throw new Refusal('tooLarge');
    chunks.push(chunk);
  }
  if (file.truncated) throw new Refusal('tooLarge');
  return Buffer.concat(chunks);
}

/** Whether an error comes from the parser of the body, without a status for the caller. */
function isParserError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Refusal) return false;
  return !('statusCode' in error) && !('syscall' in error);
}

/**
 * The name that is shown: at most 255 characters, without those that break a line or a message, or change the
 * direction of text, which would make `gpj.exe` look like `exe.jpg`.
 */
function shownName(name: string): string {
  const visible = name.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}]/gu, '');
  return [...visible].slice(0, 255).join('');
}
