import type { Difference } from '../../projections/rebuild/comparison.ts';

/** As `messages conversation=f1-2 sequence=3: content was "a", is "b"`. */
export function differenceLine({ table, key, column, before, after }: Difference): string {
  const row = Object.entries(key).map(([name, value]) => `${name}=${value}`);
  const where = `${table} ${row.join(' ')}`;
  if (column !== undefined) {
    return `${where}: ${column} was ${JSON.stringify(before)}, is ${JSON.stringify(after)}`;
  }
  return before === undefined
    ? `${where}: was missing, is ${JSON.stringify(after)}`
    : `${where}: was ${JSON.stringify(before)}, is gone`;
}
