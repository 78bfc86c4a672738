import { type Checkpoint, readCheckpointText } from './checkpoint.ts';
import { openHead } from './heads.ts';
import type { NoteVerifier } from './note.ts';

/** What a text holds of heads that somebody kept. */
export interface KeptHeads {
  readonly heads: readonly Checkpoint[];
  /** All else that is not blank, in order. */
  readonly unread: readonly UnreadLines[];
}

/** Lines that are no complete head which the verifier has signed, counted from 1, and why not. */
export interface UnreadLines {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** A head that was found. Numbers of lines count from 0. */
interface Found {
  readonly head: Checkpoint;
  /** The first line of its text. */
  readonly from: number;
}

/**
 * Reads heads that lie one after the other in a text, as in a file that heads are appended to; the last one may lack its
 * line break. A head may begin in the middle of a line: behind what was left of another one, of which only the beginning
 * could be written.
 */
export function keptHeadsIn(text: string, verifier: NoteVerifier): KeptHeads {
  const lines = text.split('\n');
  const heads: Checkpoint[] = [];
  const unread: UnreadLines[] = [];
  let rest = 0;
  let why: string | undefined;
  const leave = (end: number) => {
    const left = filledLines(lines, rest, end);
    if (left) unread.push({ ...left, why: why ?? 'there is no complete head' });
    why = undefined;
  };
  for (let blank = 0; blank < lines.length; blank++) {
    if (lines[blank] !== '' || !isSignature(lines[blank + 1])) continue;
    let end = blank + 1;
    while (isSignature(lines[end])) end++;
    const found = headAt(lines, blank, end, verifier);
    if (found instanceof Error) {
      why ??= found.message;
    } else {
      leave(found.from);
      heads.push(found.head);
      rest = end;
    }
    blank = end - 1;
  }
  leave(lines.length);
  return { heads, unread };
}

/** The head whose text ends before the line `blank`, and whose signatures end before the line `end`; else why there is none. */
function headAt(lines: readonly string[], blank: number, end: number, verifier: NoteVerifier): Found | Error {
  const signatures = `\n${lines.slice(blank + 1, end).join('\n')}\n`;
  let first = blank;
  while (first > 0 && lines[first - 1] !== '' && !isSignature(lines[first - 1])) first--;
  const whole = opened(lines.slice(first, blank), signatures, verifier);
  if (!(whole instanceof Error)) return { head: whole, from: first };
  // The line before may be a signature that was cut, with the beginning of this text behind it.
  for (let from = Math.max(0, first - 1); from < blank; from++) {
    const line = lines[from] ?? '';
    for (let cut = 0; cut < line.length; cut++) {
      const text = [line.slice(cut), ...lines.slice(from + 1, blank)];
      if (!isCheckpoint(text)) break;
      const head = opened(text, signatures, verifier);
      // What was cut is named with the line before the head's own ones.
      if (!(head instanceof Error)) return { head, from: cut === 0 ? from : from + 1 };
    }
  }
  return whole;
}

function opened(text: readonly string[], signatures: string, verifier: NoteVerifier): Checkpoint | Error {
  try {
    return openHead(`${text.join('\n')}\n${signatures}`, verifier);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Verifying a signature takes far longer than seeing that there is nothing to verify. */
function isCheckpoint(lines: readonly string[]): boolean {
  try {
    readCheckpointText(`${lines.join('\n')}\n`);
    return true;
  } catch {
    return false;
  }
}

/** Which of the lines from `from` up to, but not including, `end` are not blank, from the first to the last one. */
function filledLines(lines: readonly string[], from: number, end: number) {
  const isFilled = (line: string) => line.trim() !== '';
  const some = lines.slice(from, end);
  const first = some.findIndex(isFilled);
  return first < 0 ? undefined : { from: from + first + 1, to: from + some.findLastIndex(isFilled) + 1 };
}

function isSignature(line: string | undefined): boolean {
  return line?.startsWith('— ') ?? false;
}
