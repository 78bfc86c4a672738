import { CallRefused } from '../shared/envelope.ts';
import { reasonOfRefusal } from '../shared/refusals.ts';
import { createTask as createPlainTask } from '../shared/task.ts';
import { t } from './texts.ts';

/** Why something failed, in words. */
export function reasonOf(error: unknown): string {
  return error instanceof CallRefused ? reasonOfRefusal(error) : t('unreachable');
}

export const createTask = () => createPlainTask(reasonOf);
