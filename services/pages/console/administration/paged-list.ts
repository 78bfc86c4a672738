import { ref, shallowRef } from 'vue';
import { remember, route } from '../route.ts';
import { createTask } from '../task.ts';

interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** Where the next page begins; null if there is none. */
  readonly next: string | null;
  /** Why there are no entries, if the server says so. */
  readonly nothing?: string | null;
}

/**
 * A list by pages: of all, or of those whose `by` is the value. What it was asked for is in the address of its view.
 * @param keys what entries can be found by, and `all`
 * @param read reads the page from `from` on, or the first one
 */
export function createPagedList<Key extends string, Entry>(
  view: string,
  keys: readonly (Key | 'all')[],
  read: (page: Readonly<Record<string, string | undefined>>) => Promise<Page<Entry>>,
) {
  const { query } = route.value;
  const by = shallowRef<Key | 'all'>(keys.find((key) => query[key] !== undefined) ?? 'all');
  const value = ref(query[by.value] ?? '');
  const entries = shallowRef<readonly Entry[]>([]);
  const next = ref<string | null>(null);
  const nothing = ref<string | null>(null);
  const { busy, reason, run } = createTask();

  function load(from?: string): Promise<boolean> {
    const asked = by.value === 'all' ? {} : { [by.value]: value.value.trim() };
    remember(view, asked);
    return run(async () => {
      const page = await read({ ...asked, from });
      entries.value = from === undefined ? page.entries : [...entries.value, ...page.entries];
      next.value = page.next;
      nothing.value = page.nothing ?? null;
    });
  }

  return { by, value, entries, next, nothing, busy, reason, load };
}
