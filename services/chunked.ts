/** The elements in pieces of up to `size` of them, in order. */
export function* chunked<Element>(
  elements: readonly Element[],
  size: number,
): Generator<Element[], void, undefined> {
  for (let first = 0; first < elements.length; first += size) yield elements.slice(first, first + size);
}
