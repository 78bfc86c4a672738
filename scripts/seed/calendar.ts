/** When a history begins: the same for every run, so that the same seed gives the same events for ever. */
const beginning = Date.UTC(2025, 0, 1);

const dayMs = 86_400_000;

/** How long a history lasts, in days and in milliseconds. */
const days = 300;
export const historyMs = days * dayMs;

/** At which share of a day's events each hour begins, by China's clock, 8 h ahead: few at night, most in the evening. */
const weights = [2, 1, 0.5, 0.3, 0.3, 0.5, 1, 3, 6, 8, 8, 7, 7, 6, 7, 8, 8, 7, 7, 8, 9, 9, 7, 4];
const chinaHours = 8;

/** Up to each UTC hour, the share of a day's events that lie before it. */
const shares = sharesBefore(weights.map((_, hour) => weights[(hour + chinaHours) % weights.length] ?? 0));

function sharesBefore(hours: readonly number[]): number[] {
  const total = hours.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  return hours.map((weight) => {
    const share = before / total;
    before += weight;
    return share;
  });
}

/**
 * When something happened, in milliseconds since 1970; later the greater `fraction` is.
 * @param fraction how much of the history lies before it, from 0 to 1
 */
export function timeAt(fraction: number): number {
  const day = Math.floor(fraction * days);
  const share = fraction * days - day;
  const hour = shares.findLastIndex((before) => before <= share);
  const begins = shares[hour] ?? 0;
  const ends = shares[hour + 1] ?? 1;
  return Math.floor(beginning + day * dayMs + ((hour + (share - begins) / (ends - begins)) / 24) * dayMs);
}
