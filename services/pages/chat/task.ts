import { CallRefused } from '../shared/envelope.ts';
import { language } from '../shared/language.ts';
import { createTask } from '../shared/task.ts';
import { englishReasons } from './english.ts';
import { t } from './texts.ts';

/** Why something failed, for the person: the server's own words, or that it cannot be reached. */
export function reasonOf(error: unknown): string {
  if (error instanceof CallRefused) {
    const { code, message } = error;
    return language.value === 'en' ? (englishReasons[code] ?? message) : message;
  }
  return error instanceof TypeError ? t('unreachable') : String(error);
}

/** Runs one action at a time, and keeps why the last one failed, for the person. */
export const useTask = () => createTask(reasonOf);
