import { CallRefused } from '../shared/calls.ts';
import { createTask } from '../shared/task.ts';
import { t } from './texts.ts';

/** Why something failed, for the person: the server's own words, or that it cannot be reached. */
export function reasonOf(error: unknown): string {
  if (error instanceof CallRefused) return error.message;
  return error instanceof TypeError ? t('unreachable') : String(error);
}

/** Runs one action at a time, and keeps why the last one failed, for the person. */
export const useTask = () => createTask(reasonOf);
