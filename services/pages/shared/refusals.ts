import type { CallRefused } from './envelope.ts';
import { language } from './language.ts';
import { refusalInEnglish } from './refusals-in-english.ts';

/** Why a call was refused, in the language of the page: the server's own words are Chinese. */
export function reasonOfRefusal({ code, message }: CallRefused): string {
  return language.value === 'en' ? refusalInEnglish(code, message) : message;
}
