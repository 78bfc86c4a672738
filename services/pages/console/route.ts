import { ref } from 'vue';

/** Which view is shown, and what it was asked for: the part of the address after `#/`, as `events?about=9`. */
export interface Route {
  readonly view: string;
  readonly query: Readonly<Record<string, string>>;
}

function read(): Route {
  const [view = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  return { view, query: Object.fromEntries(new URLSearchParams(search)) };
}

export const route = ref<Route>(read());

window.addEventListener('hashchange', () => {
  route.value = read();
});

/** The address of a view. Parameters that are empty are left out. */
export function hrefOf(
  view: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  const search = new URLSearchParams(given).toString();
  return `#/${view}${search === '' ? '' : `?${search}`}`;
}

/** Shows what a view was asked for in the address, so that it can be gone back to. */
export function remember(view: string, query: Readonly<Record<string, string | number | undefined>>): void {
  const href = hrefOf(view, query);
  if (location.hash !== href) history.replaceState(null, '', href);
}
