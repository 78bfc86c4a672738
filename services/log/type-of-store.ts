/**
 * Whether a type of events is one that EventStoreDB keeps for itself: it begins with `$`. No version of this program
 * appends such an event to a stream of the log.
 */
export function isTypeOfStore(type: string): boolean {
  return type.startsWith('$');
}
