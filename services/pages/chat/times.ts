import { language } from '../shared/language.ts';
import { t } from './texts.ts';

const dayOf = (date: Date): string => date.toDateString();

/** The time of day if it is today, else the date, in few characters. @param seconds since 1970 */
export function shortTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const now = new Date();
  if (dayOf(date) === dayOf(now)) return timeOfDay(seconds);
  const year = date.getFullYear() === now.getFullYear() ? undefined : '2-digit';
  return date.toLocaleDateString(language.value, { month: 'numeric', day: 'numeric', year });
}

export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(language.value, { hour: 'numeric', minute: '2-digit' });
}

/** The day of a message, for the line between two days. */
export function dayName(seconds: number): string {
  const date = new Date(seconds * 1000);
  const now = new Date();
  if (dayOf(date) === dayOf(now)) return t('today');
  now.setDate(now.getDate() - 1);
  if (dayOf(date) === dayOf(now)) return t('yesterday');
  return date.toLocaleDateString(language.value, { year: 'numeric', month: 'long', day: 'numeric' });
}

export function isOtherDay(seconds: number, before: number | undefined): boolean {
  return before === undefined || dayOf(new Date(seconds * 1000)) !== dayOf(new Date(before * 1000));
}
