import { ref } from 'vue';
import { CallRefused } from '../shared/calls.ts';
import { t } from './texts.ts';

/** Why something failed, for the person: the server's own words, or that it cannot be reached. */
export function reasonOf(error: unknown): string {
  if (error instanceof CallRefused) return error.message;
  return error instanceof TypeError ? t('unreachable') : String(error);
}

/** Runs one action at a time, and keeps why the last one failed. */
export function useTask() {
  const busy = ref(false);
  const reason = ref('');
  async function run(action: () => Promise<unknown>): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    reason.value = '';
    try {
      await action();
    } catch (error) {
      reason.value = reasonOf(error);
    } finally {
      busy.value = false;
    }
  }
  return { busy, reason, run };
}
