import { language } from '../shared/language.ts';

/** A time in the reader's zone and the page's language, to the second. @param ms since 1970 */
export function timeOf(ms: number): string {
  return new Date(ms).toLocaleString(language.value, { dateStyle: 'medium', timeStyle: 'medium' });
}

export function countOf(number: number): string {
  return Math.round(number).toLocaleString(language.value);
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A size as people read it: `1.4 MB`. */
export function bytesOf(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A moment as the API reads it: a time without a zone is meant in the reader's. */
export function momentOf(text: string): string {
  const trimmed = text.trim();
  const local = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?$/.test(trimmed);
  if (!local) return trimmed;
  const date = new Date(trimmed.includes(':') ? trimmed.replace(' ', 'T') : `${trimmed}T00:00`);
  return Number.isNaN(date.getTime()) ? trimmed : date.toISOString();
}
