import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../../services/audit/tree/tree-entry.ts';
import { unreadTexts } from '../../../services/audit/tree/unread-text.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { storedEventOf } from '../../../services/log/eventstoredb/event.ts';
import type { Position, RecordedEvent } from '../../../services/log/log.ts';
import { withOriginalTime } from '../../../services/log/original-time.ts';
import { parseStored } from '../../../services/log/stored-json.ts';
import { newEventId } from '../../support/projecting.ts';

const unreadIn = (data: string) =>
  unreadTexts({ raw: { data, metadata: '{}' } }, canonicalText({ data: parseStored(data), metadata: {} }));

const recordOf = (metadata: string): RecordedEvent => ({
  ...{ stream: streamName('user-1'), revision: 0, id: newEventId(), type: 'Registered', recorded: 1 },
  ...{ position: '1' as Position, data: {}, metadata: parseStored(metadata), raw: { data: '{}', metadata } },
});

/** Of an event as EventStoreDB gives it. */
function unreadInMetadata(metadata: string) {
  const { position, ...message } = recordOf(metadata);
  const bytes = { data: Buffer.from('{}'), metadata: Buffer.from(metadata) };
  const { record } = storedEventOf({ ...message, ...bytes, position, isJson: true }) ?? {};
  return record && unreadTexts(record, canonicalText(record));
}

describe('what of the text of an event reading it leaves out', () => {
  test.each([
    ['the first value of a key that is there twice', '{"uid":7,"uid":2}'],
    ['that of a key within', '{"to":{"gid":1,"gid":1}}'],
    ['that of a key that is written with an escape', '{"\\u0061":1,"a":1}'],
    ['that of a key beside a number that is written shorter', '{"a":1e6,"b":1,"b":2}'],
    ['that of a key which other numbers make up for', '{"n":1e6,"m":1e7,"b":1,"b":1}'],
    ['digits that no double has', '{"uid":2.00000000000000000007}'],
    ['a number that is greater than any double', '{"uid":1e400}'],
    ['the value of a prototype that is there twice', '{"__proto__":1,"__proto__":2}'],
  ])('is found: %s', (_what, text) => {
    expect(unreadIn(text)).toEqual(['data']);
  });

  test.each([
    ['two times of a copied event', '{"time":1,"$recorded":5,"$recorded":9}'],
    ['two of them that are the same', '{"$recorded":9,"time":1,"$recorded":9}'],
    ['two of them, one with escapes', '{"\\u0024recorded":5,"time":1,"$recorded":9}'],
    ['two times in metadata without other keys', '{"$recorded":5,"$recorded":9}'],
    ['two origins of an append', '{"time":1,"$append":"a","$append":"b"}'],
    ['two origins, one of them before other keys', '{"$append":"a","time":1,"$append":"b"}'],
    ['two origins of a copied event', '{"time":1,"$recorded":9,"$append":"a","$append":"b"}'],
    ['two times before an origin', '{"time":1,"$recorded":5,"$recorded":9,"$append":"b"}'],
    ['two times when it happened', '{"time":1,"time":2}'],
  ])('is found in metadata of EventStoreDB: %s', (_what, metadata) => {
    expect(unreadInMetadata(metadata)).toEqual(['metadata']);
  });

  test.each([
    ['a copied event', '{"time":1,"$recorded":9,"$append":"b"}'],
    ['one that says so with blanks', '{ "time": 1, "$recorded": 9 }'],
    ['one with escapes', '{"time":1,"actor":"\\u4f60","$recorded":9}'],
    ['a text that looks like such a key', '{"time":1,"actor":"\\"$recorded\\":5","$recorded":9}'],
  ])('is nothing for the metadata of %s', (_what, metadata) => {
    expect(unreadInMetadata(metadata)).toEqual([]);
  });

  test('is found in a table of Postgres: two times of a copied event', () => {
    const record = recordOf('{"time":1,"$recorded":5,"$recorded":9}');
    const copied = withOriginalTime(record);
    expect(copied.recorded).toBe(9);
    expect(unreadTexts(copied, canonicalText(copied))).toEqual(['metadata']);
  });

  test.each([
    ['blanks', '{ "uid" : 2 ,\n "to":[ 1, true, null ] }'],
    ['other forms of numbers', '{"a":1.0,"b":1E3,"c":-0,"d":100000000000000000000.0}'],
    ['escapes', '{"text":"\\u4f60\\/\\ud800"}'],
    ['keys that are numbers, which reading puts first', '{"b":1,"2":3,"1":{"__proto__":3}}'],
    ['a string with what a key looks like', '{"a":"\\"a\\":1, \\"a\\":2" }'],
    ['no JSON, which is taken as a whole', '{"uid":7,"uid":2'],
  ])('is nothing for %s', (_what, text) => {
    expect(unreadIn(text)).toEqual([]);
  });
});
