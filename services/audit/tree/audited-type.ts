import { hash } from 'node:crypto';

/** How many bytes a type may have to be an entry of an index of Postgres, which takes 2,704 together with other columns. */
const maxBytes = 2_000;

/**
 * Whether a type is one that no append takes: it is far longer than any, or holds NUL, which no text of Postgres may.
 * @param type null in a table of Postgres whose checks somebody dropped
 */
export function isNoType(type: string | null): boolean {
  if (type === null) return false;
  return type.length > maxBytes || type.includes('\0') || Buffer.byteLength(type) > maxBytes;
}

/**
 * A type as index and tree name it. One that was written past the program, and that they cannot hold, is named by its SHA-256, so
 * that the auditor goes on behind it and an entry of the tree has its place in a tile. It begins as the types of the store do,
 * which are found among all at once (`eventsOfStoreTypes`).
 */
export function auditedType(type: string): string {
  return isNoType(type) ? `${prefix}${hash('sha256', type, 'hex')}` : type;
}

const prefix = '$none-sha256-';

/** Whether `auditedType` has given a name. */
export function isNameOfNoType(name: string): boolean {
  return name.startsWith(prefix);
}
