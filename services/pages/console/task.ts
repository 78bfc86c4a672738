import { createTask as createPlainTask, messageOf } from '../shared/task.ts';
import { Refused } from './server-api.ts';
import { t } from './texts.ts';

/** Why something failed, in words. */
export function reasonOf(error: unknown): string {
  return error instanceof Refused ? messageOf(error) : t('unreachable');
}

export const createTask = () => createPlainTask(reasonOf);
