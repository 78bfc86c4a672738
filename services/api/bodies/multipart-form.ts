import { Refusal } from '../../../contracts/codes.ts';
import { formOf, maxParts, readText } from '../form.ts';

/** `boundary=x` of a Content-Type, or `boundary="x y"`, of printable characters of ASCII. */
const boundaryForm = /;\s*boundary=(?:"([ !#-~]+)"|([!#-:<-~]+))\s*(?:;|$)/i;
/** The header of a part that names its field, and its file. */
const dispositionForm = /^content-disposition:[ \t]*form-data[ \t]*;(.*)$/im;
const typeForm = /^content-type:[ \t]*application\/octet-stream\b/im;
/** A parameter of that header, with its name, and its value in quotes or without. */
const parameterForm = /(?:^|;)[ \t]*([a-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))/gi;

/** The boundary that a multipart type names. @throws Refusal unreadable if it names none */
export function boundaryOf(type: string | undefined): string {
  const [, quoted, plain] = boundaryForm.exec(type ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new Refusal('unreadable');
  return boundary;
}

/** What separates the parts of a multipart body. */
export function delimiterOf(boundary: string): string {
  return `\r\n--${boundary}`;
}

/**
 * Reads a multipart body that has no file as a form. The body is read as a whole: a stream for each part would take
 * 30 µs of the only thread, and bodies have thousands of parts.
 * @throws Refusal illegal for a file, tooLarge beyond `maxParts`, unreadable
 */
export function readMultipartForm(type: string | undefined, body: Buffer): Readonly<Record<string, unknown>> {
  // Some clients name a type without sending a body.
  if (body.length === 0) return {};
  // One character a byte; what is before the first boundary, and behind the last one, is no part of the form.
  const [, ...parts] = `\r\n${body.toString('latin1')}`.split(delimiterOf(boundaryOf(type)), maxParts + 2);
  const end = parts.findIndex((part) => part.startsWith('--'));
  if (end === -1) throw new Refusal(parts.length > maxParts ? 'tooLarge' : 'unreadable');
  return formOf(parts.slice(0, end).flatMap(readPart));
}

/** The name and text of a part; nothing if it names no field. */
function readPart(part: string): [name: string, text: string][] {
  // Spaces may follow the boundary.
  const begin = part.indexOf('\r\n');
  const split = part.indexOf('\r\n\r\n', begin);
  const headers = begin === -1 || split === -1 ? '' : part.slice(begin, split);
  const [, disposition] = dispositionForm.exec(headers) ?? [];
  if (disposition === undefined) return [];
  const parameters = new Map(
    Array.from(disposition.matchAll(parameterForm), ([, name = '', quoted, plain]) => [
      name.toLowerCase(),
      quoted?.replace(/\\(["\\])/g, '$1') ?? plain ?? '',
    ]),
  );
  const name = parameters.get('name');
  if (name === undefined) return [];
  const isFile = parameters.has('filename') || parameters.has('filename*') || typeForm.test(headers);
  if (isFile) throw Refusal.illegal(decoded(name));
  return [[decoded(name), decoded(part.slice(split + 4))]];
}

function decoded(latin1: string): string {
  return readText(Buffer.from(latin1, 'latin1'));
}
