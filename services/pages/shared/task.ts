import { ref } from 'vue';

/**
 * Runs one action at a time, and keeps why the last one failed.
 * @param reasonOf the reason to show for what an action throws
 */
export function createTask(reasonOf: (error: unknown) => string) {
  const busy = ref(false);
  const reason = ref('');
  /** @returns whether the action was carried out */
  async function run(action: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    reason.value = '';
    try {
      await action();
      return true;
    } catch (error) {
      reason.value = reasonOf(error);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, reason, run };
}
