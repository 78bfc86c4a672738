/** Which push of the log: the position of its event, and its number among the pushes of that event. */
export interface PushCursor {
  /** The event's position in the log. Named after the column `place` of the table `pushes.push`. */
  readonly place: string;
  readonly number: number;
}

/** A push of the log of one epoch: what clients get as `position`, and name as `since` to resume. */
export interface PushPosition extends PushCursor {
  readonly epoch: string;
}

/** Greater than the number of any push: a cursor with it is after all pushes of its event. */
export const afterAll = 999_999_999;

/** The longest text that can be a position, in characters. */
const maxPositionLength = 300;

/** The text that clients get as `position` and send back as `since`; opaque to them. */
export function formatPosition({ epoch, place, number }: PushPosition): string {
  return `${epoch}.${place}.${number}`;
}

/** Reads what `formatPosition` wrote; undefined for anything else. */
export function parsePosition(text: string): PushPosition | undefined {
  const match = text.length > maxPositionLength ? null : /^([0-9a-z]+)\.([!-~]*)\.(\d{1,9})$/.exec(text);
  const [, epoch, place, number] = match ?? [];
  if (epoch === undefined || place === undefined || number === undefined) return undefined;
  return { epoch, place, number: Number(number) };
}

/** A position that a client sent, to be stored: a text that is too long to be one is not kept. */
export function keptPosition(text: string): string {
  return text.length > maxPositionLength ? 'unreadable' : text;
}

/** Orders pushes of the same log: less than 0 if `one` is before `other`. */
export function comparePositions(one: PushCursor, other: PushCursor): number {
  if (one.place === other.place) return one.number - other.number;
  return one.place < other.place ? -1 : 1;
}
