/** Where a push stands: which log, which event of it, and which of that event's pushes. */
export interface PushPosition {
  readonly epoch: string;
  readonly place: string;
  readonly number: number;
}

/** Later than every push of its event: a position with it is the end of its place. */
export const afterAll = 999_999_999;

/** The longest text that can be a position. */
const longestPosition = 300;

/** The text that clients get as `position` and give back as `since`; opaque to them. */
export function formatPosition({ epoch, place, number }: PushPosition): string {
  return `${epoch}.${place}.${number}`;
}

/** Reads what `formatPosition` wrote; undefined for anything else. */
export function parsePosition(text: string): PushPosition | undefined {
  const match = text.length > longestPosition ? null : /^([0-9a-z]+)\.([!-~]*)\.(\d{1,9})$/.exec(text);
  const [, epoch, place, number] = match ?? [];
  if (epoch === undefined || place === undefined || number === undefined) return undefined;
  return { epoch, place, number: Number(number) };
}

/** What to keep of a position that a client names: nothing of a text that is too long to be one. */
export function keptPosition(text: string): string {
  return text.length > longestPosition ? 'unreadable' : text;
}

/** Less than 0 where `one` stands before `other` in one log; their epochs must be the same. */
export function comparePositions(one: PushPosition, other: PushPosition): number {
  if (one.place === other.place) return one.number - other.number;
  return one.place < other.place ? -1 : 1;
}
