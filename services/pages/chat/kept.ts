import { session } from './session.ts';

// What the browser keeps for each person: it outlives the tab and the token, not signing out.

const prefixOf = (uid: number | undefined) => `bubble-im ${uid} `;

/** Reads what `keep` stored for the person who is signed in. What cannot be read counts as not kept. */
export function readKept<Value>(name: string, otherwise: Value): Value {
  return parsed(localStorage.getItem(prefixOf(session.value?.uid) + name), otherwise);
}

/** Everything that is kept under names with this beginning. */
export function readAllKept<Value>(beginning: string): Value[] {
  const prefix = prefixOf(session.value?.uid) + beginning;
  const found = Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .map((key) => parsed<Value | undefined>(localStorage.getItem(key), undefined));
  return found.filter((value) => value !== undefined);
}

/** Keeps a value for the person who is signed in. A browser that has no room for it forgets it with the page. */
export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(prefixOf(session.value?.uid) + name, JSON.stringify(value));
  } catch {
    // QuotaExceededError: the page goes on with what it has in memory.
  }
}

export function dropKept(name: string): void {
  localStorage.removeItem(prefixOf(session.value?.uid) + name);
}

/** Removes everything that is kept for a person. */
export function dropAllKept(uid: number): void {
  for (const key of Object.keys(localStorage))
    if (key.startsWith(prefixOf(uid))) localStorage.removeItem(key);
}

function parsed<Value>(text: string | null, otherwise: Value): Value {
  if (text === null) return otherwise;
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
