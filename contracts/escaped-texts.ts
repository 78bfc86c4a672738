import { z } from 'zod';

/**
 * The fields of answers and pushes that hold what a person wrote. `title` belongs to customer-service
 * replies. Addresses of pictures and files are none of them.
 */
const written: ReadonlySet<string> = new Set([
  ...['content', 'quote_content', 'nickname', 'name', 'remark', 'groupname', 'sign', 'postscript'],
  ...['from_name', 'to_name', 'title'],
]);

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** The `data` of a friend application is an object as JSON text, in which its postscript is. */
const NestedObject = z.string().startsWith('{');

/**
 * Escapes for HTML what people wrote in an answer or a push, for pages that show texts by innerHTML (the
 * setting `escape_html`).
 * @param json the answer's or the push's data, as JSON text
 */
export function escapeTexts(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (written.has(key)) return escaped(value);
    return key === 'data' && NestedObject.safeParse(value).success
      ? JSON.stringify(escapeTexts(value))
      : value;
  });
}
