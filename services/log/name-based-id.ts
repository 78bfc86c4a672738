/**
 * Whether an id is made from a name (UUID version 5), so that a call that comes again, also in another process or much later,
 * appends the same id. All others are made once, and only their maker repeats them.
 */
export function isNameBased(id: string): boolean {
  return id.charAt(14) === '5';
}
