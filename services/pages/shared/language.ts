import { ref, watchEffect } from 'vue';

export type Language = 'zh-CN' | 'en';
const storageKey = 'bubble-im language';

function preferred(): Language {
  const kept = localStorage.getItem(storageKey);
  if (kept === 'zh-CN' || kept === 'en') return kept;
  return navigator.language.startsWith('zh') ? 'zh-CN' : 'en';
}

/** The language of the page: as it was chosen, else that of the browser. */
export const language = ref<Language>(preferred());

watchEffect(() => {
  document.documentElement.lang = language.value;
});

export function switchLanguage(): void {
  language.value = language.value === 'en' ? 'zh-CN' : 'en';
  localStorage.setItem(storageKey, language.value);
}

/**
 * The texts of a page in both languages.
 * @returns gives a text in the language of the page; values are put in place of `{0}`, `{1}` …
 */
export function createTexts<Name extends string>(
  chinese: Readonly<Record<Name, string>>,
  english: Readonly<Record<Name, string>>,
): (name: Name, ...values: readonly (string | number)[]) => string {
  return (name, ...values) => {
    const text = (language.value === 'en' ? english : chinese)[name];
    return text.replace(/\{(\d)\}/g, (_, index) => String(values[index] ?? ''));
  };
}
