/*
 * Rows that come as parameters of a statement, an array for each of their columns. Its text depends on their number as
 * long as that is small, so that few statements are prepared.
 */

/**
 * Up to this number each row is an entry of `values`. Postgres makes a temporary table for each array that it unnests,
 * which takes a third of the time of a statement that writes one row.
 */
const maxListed = 4;

/** What the name of a statement ends with that reads this number of rows. */
export function rowsSuffix(count: number): string {
  return count > maxListed ? '' : ` ${count}`;
}

/**
 * The source of the rows, for `from … as given (…)`.
 * @param arrays the types of the parameters from $1 on, such as `bigint[]`
 */
export function rowsSource(arrays: readonly string[], count: number): string {
  const parameters = arrays.map((type, index) => `$${index + 1}::${type}`);
  if (count > maxListed) return `unnest(${parameters.join(', ')})`;
  const rows = Array.from({ length: count }, (_, row) => {
    const elements = parameters.map((parameter) => `(${parameter})[${row + 1}]`);
    return `(${elements.join(', ')})`;
  });
  return `(values ${rows.join(', ')})`;
}
