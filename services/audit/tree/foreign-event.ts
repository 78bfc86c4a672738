import { streamOfEvent } from '../../domain/stream-of-event.ts';
import type { Misplacement, RecordedEvent } from '../../log/log.ts';
import { isTypeOfStore } from '../../log/type-of-store.ts';
import { isNoType } from './audited-type.ts';

/** Why no version of the program can have appended an event to the stream where it lies; undefined if one may have. */
export function foreignnessOf(
  record: Pick<RecordedEvent, 'stream' | 'type' | 'data'>,
): Extract<Misplacement, 'type of the store' | 'no type' | 'of another stream'> | undefined {
  if (isNoType(record.type)) return 'no type';
  if (isTypeOfStore(record.type)) return 'type of the store';
  const stream = streamOfEvent(record);
  return stream === undefined || stream === record.stream ? undefined : 'of another stream';
}
