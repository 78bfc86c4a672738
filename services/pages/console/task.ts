import { CallRefused } from '../shared/envelope.ts';
import { createTask as createPlainTask, messageOf } from '../shared/task.ts';
import { t } from './texts.ts';

/** Why something failed, in words. */
export function reasonOf(error: unknown): string {
  return error instanceof CallRefused ? messageOf(error) : t('unreachable');
}

export const createTask = () => createPlainTask(reasonOf);
