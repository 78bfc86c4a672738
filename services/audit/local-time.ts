const two = (number: number) => String(number).padStart(2, '0');

/** The time that was written last: of a log in its order, many events are of one second. */
let last: { readonly second: number; readonly text: string } | undefined;

/** A time in milliseconds since 1970, by the clock of this machine: `2026-11-27 15:03:12 +08:00`; the number itself, if no date has it. */
export function localTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  if (last?.second !== second) last = { second, text: written(milliseconds) };
  return last.text;
}

/** A time in milliseconds since 1970, by UTC: `2026-11-27T15:03:12.000Z`; the number itself, if no date has it. */
export function utcTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString();
}

function written(milliseconds: number): string {
  const time = new Date(milliseconds);
  if (Number.isNaN(time.getTime())) return String(milliseconds);
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const offset = -time.getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${date} ${clock} ${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}
