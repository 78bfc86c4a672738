import { nextTick, type ShallowRef, watch } from 'vue';
import { route } from './route.ts';

/** On a touch screen, a field that has the focus brings a keyboard that covers half of the page. */
const isPointed = matchMedia('(hover: hover)');

const linkTo = (address: string) =>
  [...document.querySelectorAll<HTMLElement>('.sidebar a')].find(
    (link) => link.getAttribute('href') === address,
  );

/**
 * Moves the focus to what a link opened, so that the keyboard goes on there: to the field of a chat, else to `main`. In
 * the lists again, it is on the link from which the person left.
 */
export function moveFocusWithRoute(main: Readonly<ShallowRef<HTMLElement | null>>): void {
  let address = location.hash;
  watch(route, async ({ view }) => {
    const left = address;
    address = location.hash;
    await nextTick();
    const within =
      view === 'chat' && isPointed.matches
        ? main.value?.querySelector<HTMLElement>('.write textarea')
        : undefined;
    const target = view === 'none' ? linkTo(left) : (within ?? main.value);
    target?.focus();
  });
}
