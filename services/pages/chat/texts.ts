import { ref, watchEffect } from 'vue';
import { chinese } from './chinese.ts';
import { english } from './english.ts';

export type Language = 'zh-CN' | 'en';
const storageKey = 'bubble-im language';

function preferred(): Language {
  const kept = localStorage.getItem(storageKey);
  if (kept === 'zh-CN' || kept === 'en') return kept;
  return navigator.language.startsWith('zh') ? 'zh-CN' : 'en';
}

export const language = ref<Language>(preferred());

watchEffect(() => {
  document.documentElement.lang = language.value;
});

export function switchLanguage(): void {
  language.value = language.value === 'en' ? 'zh-CN' : 'en';
  localStorage.setItem(storageKey, language.value);
}

/** A text in the language of the page. @param values in place of `{0}`, `{1}` … */
export function t(name: keyof typeof chinese, ...values: readonly (string | number)[]): string {
  const text = (language.value === 'en' ? english : chinese)[name];
  return text.replace(/\{(\d)\}/g, (_, index) => String(values[index] ?? ''));
}
