import type { NewEvent, RecordedEvent } from '../../services/log/log.ts';

/** An event as a log gives it back: what was written, through JSON. */
export function recordedAs(
  event: NewEvent,
  stored: Omit<RecordedEvent, keyof NewEvent | 'raw'>,
): RecordedEvent {
  const raw = { data: JSON.stringify(event.data), metadata: JSON.stringify(event.metadata) };
  return { ...event, ...stored, data: JSON.parse(raw.data), metadata: JSON.parse(raw.metadata), raw };
}
