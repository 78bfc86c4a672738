/**
 * Whether a type of events is one that EventStoreDB keeps for itself: it begins with `$`. No version of this program
 * appends such an event to a stream of the log.
 * @param type null in a table of Postgres whose checks somebody dropped
 */
export function isTypeOfStore(type: string | null): boolean {
  return type?.startsWith('$') ?? false;
}
