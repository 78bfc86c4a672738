import { CallRefused } from '../shared/envelope.ts';
import { reasonOfRefusal } from '../shared/refusals.ts';
import { createTask } from '../shared/task.ts';
import { t } from './texts.ts';

/** Why something failed, for the person: why the server refused it, or that it cannot be reached. */
export function reasonOf(error: unknown): string {
  if (error instanceof CallRefused) return reasonOfRefusal(error);
  return error instanceof TypeError ? t('unreachable') : String(error);
}

/** Runs one action at a time, and keeps why the last one failed, for the person. */
export const useTask = () => createTask(reasonOf);
