import { constants, setPriority } from 'node:os';
import { drawCaptcha } from './captcha-picture.ts';
import { drawCode } from './code-picture.ts';

/*
 * The thread of `drawing.ts`. On Linux the priority holds for the calling thread alone, so that the threads that
 * answer requests go before it.
 */
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

export const captcha = drawCaptcha;
export const code = drawCode;
