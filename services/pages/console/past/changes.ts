/** One value that is different in a later state: where it is, what it was, and what it is now. */
export interface Change {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Changes that are named; a state of thousands of members may come at once. */
const maxChanges = 100;

/** What differs between two states, by the paths of their values. */
export function changesOf(from: unknown, to: unknown): Change[] {
  const before = new Map(valuesOf(from));
  const after = new Map(valuesOf(to));
  const changes: Change[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    if (changes.length === maxChanges) break;
    const change = { path, from: before.get(path), to: after.get(path) };
    if (change.from !== change.to) changes.push(change);
  }
  return changes;
}

function* valuesOf(value: unknown, path = ''): Generator<[path: string, text: string]> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    if (path !== '') yield [path, JSON.stringify(value) ?? 'null'];
    return;
  }
  for (const [name, part] of Object.entries(value))
    yield* valuesOf(part, path === '' ? name : `${path}.${name}`);
}
