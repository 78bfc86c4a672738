import { writtenFields } from '../../../contracts/written-fields.ts';

/** Whether the server escapes texts for HTML (the setting `escape_html`). */
let escaped = false;

export function expectEscaped(on: boolean): void {
  escaped = on;
}

const characters: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/** The texts of an answer or a push as people wrote them: this page shows text, so nothing may be escaped. */
export function readTexts<Value>(value: Value): Value {
  if (!escaped) return value;
  return JSON.parse(JSON.stringify(value), (key, part: unknown) => {
    if (typeof part !== 'string') return part;
    if (writtenFields.has(key))
      return part.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => characters[entity] ?? entity);
    return key === 'data' && part.startsWith('{') ? JSON.stringify(readTexts(JSON.parse(part))) : part;
  });
}
