/** An id by which the server recognises a repeated request: 128 random bits. `crypto.randomUUID` exists on pages by https alone. */
export function newUniqueId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `w${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
