import { ref, shallowRef, watch } from 'vue';
import { type Answered, ask, serverKey } from './server-api.ts';
import { reasonOf } from './task.ts';

export type SystemStatus = Answered<'/system/status'>;

const refreshMs = 2_000;
/** Ten minutes. */
const maxSamples = 300;

/** The last answers of `/system/status`, the oldest first; and why there is no newer one. */
export const samples = shallowRef<readonly SystemStatus[]>([]);
export const historyReason = ref('');

async function sample(): Promise<void> {
  try {
    const status = await ask('/system/status', {});
    // Another process answers: its counters are not those of the one before.
    const same = samples.value.at(-1)?.process.pid === status.process.pid;
    samples.value = [...(same ? samples.value : []).slice(1 - maxSamples), status];
    historyReason.value = '';
  } catch (error) {
    historyReason.value = reasonOf(error);
  }
}

let timer: number | undefined;

// While somebody is signed in, whatever view is shown: a chart has its past then. A hidden page asks nothing.
watch(serverKey, (key) => {
  window.clearInterval(timer);
  samples.value = [];
  if (key === undefined) return;
  void sample();
  timer = window.setInterval(() => {
    if (!document.hidden) void sample();
  }, refreshMs);
});

/** How much something grew per second from each sample to the next. */
export function rateOf(count: (status: SystemStatus) => number): (number | null)[] {
  return samples.value.map((status, index, all) => {
    const before = all[index - 1];
    if (before === undefined || status.time <= before.time) return null;
    return Math.max(0, (1_000 * (count(status) - count(before))) / (status.time - before.time));
  });
}
