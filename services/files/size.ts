const units = ['KB', 'MB', 'GB'] as const;

/** A size as people read it: `512 B`, `7.15 KB`, `1.20 MB`. */
export function shownSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let size = bytes / 1024;
  let unit = 0;
  while (size >= 1023.995 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size.toFixed(2)} ${units[unit]}`;
}
