import { z } from 'zod';
import { writtenFields } from './written-fields.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** The fields that hold the address of a picture or file, which may have been written by a person, too. */
const addresses: ReadonlySet<string> = new Set(['avatar', 'from_avatar', 'to_avatar', 'src']);

/** The same address, without the characters that would end an HTML attribute. */
const percentEncoded = (address: string): string =>
  address.replace(
    /[<>"'`\t\n\f\r ]/g,
    (character) => `%${Buffer.from(character).toString('hex').toUpperCase()}`,
  );

/** The `data` of a friend application is a JSON text of an object that holds the postscript. */
const NestedObject = z.string().startsWith('{');

/**
 * Escapes for HTML what people wrote, in an answer or a push, for pages that show texts by innerHTML (the setting
 * `escape_html`). Addresses stay usable outside HTML.
 * @param json the answer's or the push's data, as JSON text
 */
export function escapeTexts(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (writtenFields.has(key)) return escaped(value);
    if (addresses.has(key)) return percentEncoded(value);
    return key === 'data' && NestedObject.safeParse(value).success
      ? JSON.stringify(escapeTexts(value))
      : value;
  });
}
