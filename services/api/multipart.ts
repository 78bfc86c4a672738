import { stat } from 'node:fs/promises';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import { ReceivedFile } from '../../contracts/http/upload.ts';
import type { Incoming } from '../files/incoming.ts';
import { formOf, maxBodyBytes, maxFields, readText } from './form.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What surrounds a file in its request may have so many bytes. */
const overhead = 64 * 1024;

/**
 * Reads the fields of a multipart body as those of a form.
 * @param most how many bytes the fields may have together
 * @throws Refusal illegal for a file, tooLarge, unreadable
 */
export function readFields(request: FastifyRequest, most: number): Promise<Fields> {
  return readParts(request, { file: most, fields: most }, async ({ fieldname }) => {
    throw new Refusal('illegal', `参数${fieldname}不合法`);
  });
}

/**
 * Takes the `file` of a multipart body to the disk as it comes, and reads the fields; other files are
 * passed over.
 * @param most how many bytes the file may have
 * @param reserve how many bytes of the disk must stay free
 * @throws Refusal tooLarge, noSpace, unreadable; what the disk throws
 */
export async function readUpload(
  request: FastifyRequest,
  incoming: Incoming,
  most: number,
  reserve: number,
): Promise<{ fields: Fields; file: ReceivedFile | undefined }> {
  let file: ReceivedFile | undefined;
  if (Number(request.headers['content-length'] ?? 0) > most + overhead) throw tooLarge(most);
  try {
    const fields = await readParts(request, { file: most, fields: maxBodyBytes }, async (part) => {
      if (part.fieldname !== 'file' || part.filename === undefined || part.filename === '' || file) {
        part.file.resume();
        return;
      }
      const place = await incoming.receive(part.file, reserve);
      file = new ReceivedFile(place, shownName(part.filename), (await stat(place)).size);
      if (part.file.truncated) throw tooLarge(most);
    });
    return { fields, file };
  } catch (error) {
    if (file) await incoming.discard(file.place);
    throw error instanceof Refusal && error.reason === 'tooLarge' ? tooLarge(most) : error;
  }
}

const tooLarge = (most: number) => new Refusal('tooLarge', `文件不能超过${Math.floor(most / 1024 / 1024)}MB`);

async function readParts(
  request: FastifyRequest,
  most: { readonly file: number; readonly fields: number },
  take: (part: MultipartFile) => Promise<void>,
): Promise<Fields> {
  const entries: [string, string][] = [];
  let bytes = 0;
  try {
    const limits = { parts: maxFields, files: maxFields, fileSize: Math.max(most.file, most.fields) };
    // The library would decode fields by itself, and keep other bytes than UTF-8 as other characters.
    for await (const part of request.parts({ limits, isPartAFile: () => true })) {
      if (part.type !== 'file') continue;
      if (isFile(part)) {
        await take(part);
        continue;
      }
      const value = await bytesOf(part, most.fields - bytes);
      bytes += value.length + part.fieldname.length;
      if (bytes > most.fields) throw new Refusal('tooLarge');
      entries.push([part.fieldname, readText(value)]);
    }
  } catch (error) {
    // What is still to come is read past, so that the answer gets through.
    request.raw.unpipe();
    request.raw.resume();
    throw isForeign(error) ? new Refusal('unreadable') : error;
  }
  return formOf(entries);
}

/** Whether a part is a file and not a field of the form. */
function isFile({ filename, mimetype }: MultipartFile): boolean {
  return filename !== undefined || mimetype === 'application/octet-stream';
}

async function bytesOf({ file }: MultipartFile, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file) {
    bytes += chunk.length;
    if (bytes > most) throw new Refusal('tooLarge');
    chunks.push(chunk);
  }
  if (file.truncated) throw new Refusal('tooLarge');
  return Buffer.concat(chunks);
}

/** Whether an error comes from reading the body, and says nothing of what it means to the caller. */
function isForeign(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Refusal) return false;
  return !('statusCode' in error) && !('syscall' in error);
}

/**
 * The name as it is shown: at most 255 characters, without what would break a line or a message, or change the
 * direction of what follows, so that `gpj.exe` would read as `exe.jpg`.
 */
function shownName(name: string): string {
  const visible = name.toWellFormed().replace(/[\p{Cc}\p{Bidi_Control}]/gu, '');
  return [...visible].slice(0, 255).join('');
}
