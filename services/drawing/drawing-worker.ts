import { lowerPriority } from '../background-priority.ts';
import { drawCaptcha } from './captcha-picture.ts';
import { drawCode } from './code-picture.ts';

// The thread of `drawing.ts`. The threads that answer requests go before it.
lowerPriority();

export const captcha = drawCaptcha;
export const code = drawCode;
