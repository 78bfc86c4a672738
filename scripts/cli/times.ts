/** Why a text names no moment. */
export interface TimeFault {
  readonly fault: string;
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const moment =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3})\d*)?)? ?(Z|[+-]\d{2}:?\d{2})?)?$/;

const examples =
  'give 2h (two hours ago; s, m, h, d and w are known), 2026-11-27, 2026-11-27T10:00 (local time), or 2026-11-27T10:00:30+08:00';

/**
 * A moment in milliseconds since 1970: an age such as `2h`, or an ISO time, which is local unless it names its zone. A day
 * begins when its first hour does; of a local time that comes twice, as clocks go back, it is the first.
 * @param now from when ages count, in milliseconds since 1970
 */
export function timeOf(text: string, now: number): number | TimeFault {
  const age = /^(\d{1,9})([smhdw])$/.exec(text);
  if (age) {
    const time = now - Number(age[1]) * (unitMs[age[2] ?? ''] ?? 0);
    return Number.isNaN(new Date(time).getTime()) ? missing(text) : time;
  }
  const parts = moment.exec(text);
  if (parts === null) return { fault: `"${text}" is no time: ${examples}` };
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0', zone = ''] = parts;
  const offset = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0')}`;
  const time = Date.parse(`${wall}${offset}`);
  // A day that a month lacks is otherwise read as one of the next month.
  const exists = new Date(`${wall}Z`);
  if (Number.isNaN(time) || Number.isNaN(exists.getTime()) || !exists.toISOString().startsWith(wall)) {
    return missing(text);
  }
  // Clocks that go forward pass over local times, which are otherwise read as times an hour later.
  if (zone === '' && parts[4] !== undefined && !isShown(time, hour, minute)) {
    return { fault: `"${text}" is no time that exists: clocks went forward over it; give its zone` };
  }
  return time;
}

/** Whether clocks here show an hour and a minute at a time. */
function isShown(time: number, hour: string, minute: string): boolean {
  const shown = new Date(time);
  return shown.getHours() === Number(hour) && shown.getMinutes() === Number(minute);
}

function missing(text: string): TimeFault {
  return { fault: `"${text}" is no time that exists: ${examples}` };
}

export function isTimeFault(read: number | TimeFault): read is TimeFault {
  return typeof read !== 'number';
}
