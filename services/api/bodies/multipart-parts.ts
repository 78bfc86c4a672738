import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { Refusal } from '../../../contracts/codes.ts';
import { answerUnread } from '../envelope.ts';
import { boundaryOf, delimiterOf } from './multipart-form.ts';

/** Parts of an upload, each of which takes 30 µs of the only thread: the file, and a few fields. */
export const maxUploadParts = 100;

/** Bytes of the headers of a part: they hold the name of a file, which has up to 255 characters. */
const maxPartHeaderBytes = 8 * 1024;

/** A part of a multipart body. */
export interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string;
  /** Its bytes, which must be read or skipped; `truncated` if it has more than its maximum. */
  readonly content: BusboyFileStream;
}

/**
 * Hands the parts of a multipart body to `receive`, one after the other, while they arrive. If it fails, the rest of
 * the body is dropped, so that the client reads the answer.
 * @param maxBytes of a part
 * @throws Refusal tooLarge beyond `maxUploadParts`, and unreadable; what `receive` throws
 */
export async function readParts(
  request: IncomingMessage,
  maxBytes: number,
  receive: (part: Part) => Promise<void>,
): Promise<void> {
  const { promise: read, resolve, reject } = Promise.withResolvers<void>();
  const boundary = boundaryOf(request.headers['content-type']);
  const parser = openParser(boundary, maxBytes);
  let received = Promise.resolve();
  let last: BusboyFileStream | undefined;
  parser
    .on('file', (name: string | undefined, content, filename: string | undefined, _encoding, type) => {
      last = content.on('error', () => reject(new Refusal('unreadable')));
      if (name === undefined) content.resume();
      else received = received.then(() => receive({ name, filename, type, content }));
      received.catch(reject);
    })
    .on('partsLimit', () => reject(new Refusal('tooLarge')))
    .on('error', () => reject(new Refusal('unreadable')))
    .on('finish', resolve);
  const stop = feed(request, parser, delimiterOf(boundary), { done: resolve, fail: reject });
  try {
    await read;
    await received;
  } catch (error) {
    // What is being received ends, and is given up, before the caller discards what was received.
    last?.destroy();
    await received.catch(() => undefined);
    throw error;
  } finally {
    stop();
  }
}

/**
 * A parser of the body. It hands over fields like files: it would turn bytes that are no UTF-8 into characters.
 * @param boundary it reads no type of its own: in some it would find another boundary than the one that is counted
 * @throws Refusal unreadable for a boundary that is too long
 */
function openParser(boundary: string, maxBytes: number): BusboyInstance {
  const limits = { parts: maxUploadParts, headerSize: maxPartHeaderBytes, fileSize: maxBytes };
  const type = `multipart/form-data; boundary="${boundary.replaceAll('\\', '\\\\')}"`;
  try {
    return new Busboy({ headers: { 'content-type': type }, isPartAFile: () => true, limits });
  } catch {
    throw new Refusal('unreadable');
  }
}

/**
 * Writes the body to its parser, as fast as that takes it. Too many parts end the connection before they are parsed:
 * the parser itself would go on through all of them. A delimiter between two packets is not counted.
 * @returns drops the rest of the body
 */
function feed(
  request: IncomingMessage,
  parser: BusboyInstance,
  delimiter: string,
  { done, fail }: { readonly done: () => void; readonly fail: (reason: Refusal) => void },
): () => void {
  let delimiters = 0;
  let empty = true;
  const take = (chunk: Buffer) => {
    empty = false;
    delimiters += countIn(chunk, delimiter);
    // The last one ends the body. One part more is refused by the parser, and its connection stays.
    if (delimiters > maxUploadParts + 1) {
      request.socket.pause();
      answerUnread('tooLarge', request.socket);
      fail(new Refusal('tooLarge'));
    } else if (!parser.write(chunk)) request.pause();
  };
  const resume = () => request.resume();
  parser.on('drain', resume);
  request.on('data', take);
  // It also reports a client that has gone before, while its call waited.
  finished(request, (error) => {
    if (error) fail(new Refusal('unreadable'));
    // Some clients name a type without sending a body.
    else if (empty) done();
    else parser.end();
  });
  return () => request.off('data', take).resume();
}

function countIn(chunk: Buffer, delimiter: string): number {
  let count = 0;
  for (let at = chunk.indexOf(delimiter); at !== -1; at = chunk.indexOf(delimiter, at + 1)) count += 1;
  return count;
}
