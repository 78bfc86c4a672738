import { onScopeDispose } from 'vue';

/** Does something now and again and again, until the component is gone. What it throws is given to `failed`. */
export function poll(everyMs: number, act: () => Promise<void>, failed: (error: unknown) => void): void {
  let timer: number | undefined;
  let ended = false;
  const turn = async () => {
    await act().catch(failed);
    if (!ended) timer = window.setTimeout(turn, everyMs);
  };
  void turn();
  onScopeDispose(() => {
    ended = true;
    window.clearTimeout(timer);
  });
}
