import { constants, setPriority } from 'node:os';
import { drawCaptcha } from './captcha-picture.ts';
import { drawCode } from './code-picture.ts';

/*
 * The thread of `drawing.ts`. On Linux the priority is that of the calling thread alone: whatever is drawn, the
 * threads that answer requests go first.
 */
setPriority(constants.priority.PRIORITY_LOW);

export const captcha = drawCaptcha;
export const code = drawCode;
