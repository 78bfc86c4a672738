import { createTexts } from '../shared/language.ts';
import { chinese } from './chinese.ts';
import { english } from './english.ts';

export type TextName = keyof typeof chinese;

export const t = createTexts<TextName>(chinese, english);
