/** How wide and high a group's picture is, in pixels. */
export const side = 240;
const gap = 6;
/** How many faces each row holds, by the number of faces. */
const rowsOf: readonly (readonly number[])[] = [
  [],
  [1],
  [2],
  [1, 2],
  [2, 2],
  [2, 3],
  [3, 3],
  [1, 3, 3],
  [2, 3, 3],
  [3, 3, 3],
];

/** The squares of the faces: rows from top to bottom, centred. */
export function squaresOf(count: number): { left: number; top: number; size: number }[] {
  const rows = rowsOf[count] ?? [];
  const columns = Math.max(...rows, rows.length);
  const size = Math.floor((side - gap * (columns + 1)) / columns);
  const span = (faces: number) => faces * size + (faces - 1) * gap;
  const above = Math.floor((side - span(rows.length)) / 2);
  return rows.flatMap((inRow, row) => {
    const before = Math.floor((side - span(inRow)) / 2);
    return Array.from({ length: inRow }, (_, column) => ({
      left: before + column * (size + gap),
      top: above + row * (size + gap),
      size,
    }));
  });
}
