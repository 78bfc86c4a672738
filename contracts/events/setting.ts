import { z } from 'zod';
import { SettingChanges } from '../settings.ts';
import { type EventOf, event } from './event.ts';

/** Stream `setting`: the system's switches. */
export const settingEvents = [event('SettingsChanged', z.object({ changes: SettingChanges }))] as const;

export type SettingEvent = EventOf<(typeof settingEvents)[number]>;
