import { ref, watch, watchEffect } from 'vue';

/** How the page looks: as the system prefers, or always one of both. */
export const looks = ['system', 'light', 'dark'] as const;

const storageKey = 'bubble-im look';

/** The look of every page in this browser, as it was chosen. */
export const look = ref(looks.find((each) => each === localStorage.getItem(storageKey)) ?? 'system');

// page.css gives the colours of a look that differs from the system's.
watchEffect(() => {
  document.documentElement.dataset.look = look.value;
});
watch(look, (chosen) => localStorage.setItem(storageKey, chosen));
