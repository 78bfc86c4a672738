import { z } from 'zod';
import { type EventOf, event } from './event.ts';

/** Stream `setting`: the system's switches. */
export const settingEvents = [
  /** Any name with any value: which settings there are, and within which limits, changes with the program. */
  event('SettingsChanged', z.object({ changes: z.record(z.string(), z.union([z.string(), z.number()])) })),
] as const;

export type SettingEvent = EventOf<(typeof settingEvents)[number]>;
