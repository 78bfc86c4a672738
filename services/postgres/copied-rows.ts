import { newTarget, type Target, type ValueType } from './element-types.ts';

/** A column of the rows that are copied into a table. */
export interface CopiedColumn<Value> {
  readonly name: string;
  readonly type: ValueType<Value>;
}

/** What each copy begins with in binary format, with no flags and no extension. */
const head = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** Stands where the number of a row's columns would, after the last row. */
const end = -1;

/**
 * Rows as `copy … from stdin (format binary)` reads them.
 * @throws TypeError for a value that its column cannot hold
 */
export function encodeRows<Value>(
  columns: readonly CopiedColumn<Value>[],
  rows: readonly Readonly<Record<string, Value | null>>[],
): Buffer {
  let maxSize = head.length + 2 + rows.length * (2 + 4 * columns.length);
  for (const row of rows) {
    for (const { name, type } of columns) {
      const value = row[name] ?? null;
      if (value !== null) maxSize += type.maxBytes(value);
    }
  }
  const target = newTarget(maxSize);
  let at = head.copy(target.buffer);
  for (const row of rows) {
    target.view.setInt16(at, columns.length);
    at += 2;
    for (const { name, type } of columns) at = writeValue(type, row[name] ?? null, target, at);
  }
  target.view.setInt16(at, end);
  return target.buffer.subarray(0, at + 2);
}

/** @returns where the next one is to be written */
function writeValue<Value>(type: ValueType<Value>, value: Value | null, target: Target, at: number): number {
  const length = value === null ? -1 : type.write(value, target, at + 4);
  target.view.setInt32(at, length);
  return at + 4 + Math.max(0, length);
}
