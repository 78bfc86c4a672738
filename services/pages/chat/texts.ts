import { createTexts } from '../shared/language.ts';
import { chinese } from './chinese.ts';
import { english } from './english.ts';

export const t = createTexts<keyof typeof chinese>(chinese, english);
