import { describe, expect, it } from 'vitest';
import { eventDefinitions } from '../../contracts/events/index.ts';
import { decode, encode, UnreadableEvent } from '../../services/log/codec.ts';
import type { Position, RecordedEvent } from '../../services/log/log.ts';
import { recordedAs } from '../support/recorded.ts';
import { freshId, streamOf } from './specimens.ts';

const metadata = { time: 1_700_000_000_000, actor: '9', $correlationId: 'c', $causationId: 'd' };
const revoked = { conversation: 'f9-10', mid: 5, sequence: 3, by: 9 };

/** A record as a log returns it. */
function recorded(changes: Partial<RecordedEvent> = {}): RecordedEvent {
  const stream = streamOf('conversation', 'f9-10');
  const position = '0000000000000042' as Position;
  const written = { id: freshId(), type: 'MessageRevoked', data: revoked };
  return recordedAs(
    { ...written, metadata: { ...metadata, version: 1 }, ...changes },
    { stream, revision: 7, position, recorded: 1_700_000_000_001, ...changes },
  );
}

describe('the codec', () => {
  it('decodes what was encoded, with its position and metadata', () => {
    const record = recorded();
    const event = decode(record);
    const written = encode(record.id, event, metadata);
    expect(written).toEqual({
      id: record.id,
      type: 'MessageRevoked',
      data: revoked,
      metadata: { ...metadata, version: 1 },
    });
    const { recorded: _, raw: __, ...rest } = record;
    expect(event).toEqual(rest);
  });

  it('writes the present version', () => {
    for (const { type, version } of eventDefinitions) {
      const event = { ...decode(recorded()), type } as Parameters<typeof encode>[1];
      expect(encode(freshId(), event, metadata).metadata.version).toBe(version);
    }
  });

  it('decodes a record once', () => {
    const record = recorded();
    expect(decode(record)).toBe(decode(record));
    expect(decode({ ...record })).not.toBe(decode(record));
  });

  it.each<[string, Partial<RecordedEvent>, RegExp]>([
    ['of an unknown type', { type: 'MessageSung' }, /its type is unknown/],
    ['of a type that is a property of every object', { type: 'constructor' }, /its type is unknown/],
    ['with data that lack a property', { data: { ...revoked, mid: undefined } }, /its data are broken/],
    ['with data of another kind', { data: { ...revoked, by: 'nine' } }, /its data are broken/],
    ['without metadata', { metadata: {} }, /its metadata are broken/],
    [
      'of a type that EventStoreDB keeps for itself',
      { type: '$streamDeleted' },
      /its type is one of the store/,
    ],
    ['of a later version', { metadata: { ...metadata, version: 2 } }, /its version 2 is newer than 1/],
  ])('throws for an event %s, with its stream and revision', (_, changes, why) => {
    const read = () => decode(recorded(changes));
    expect(read).toThrow(UnreadableEvent);
    expect(read).toThrow(/conversation-f9-10@7/);
    expect(read).toThrow(why);
  });
});
