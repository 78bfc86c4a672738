import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../services/audit/tree/canonical-json.ts';
import { digestOf, textOf, treeEntryOf } from '../../../services/audit/tree/tree-entry.ts';
import type { EventId, Position, StreamName } from '../../../services/log/log.ts';
import { recordedAs } from '../../support/recorded.ts';

describe('canonical JSON', () => {
  test('is that of the reference implementation for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  });

  test('writes numbers, strings and keys as the examples of RFC 8785', () => {
    const numbers = '[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, -0, 1e21, 1e-7]';
    expect(canonicalJson(JSON.parse(numbers))).toBe('[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e+21,1e-7]');
    expect(canonicalJson(JSON.parse('"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/"'))).toBe(
      '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.values(JSON.parse(canonicalJson(keys)))).toHaveLength(7);
    expect(canonicalJson(keys)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    );
  });

  test('sorts few and many keys by their UTF-16 code units, also those that begin with digits or underscores', () => {
    const unit = fc.constantFrom(...'abB1_$"\\\n\u{1f600}\ufb33é', '\ud800');
    const keys = fc.uniqueArray(fc.string({ unit, maxLength: 4 }), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(keys, fc.jsonValue(), (names, value) => {
        const object = Object.fromEntries(
          names.map((name, index) => [name, index % 5 === 0 ? value : index]),
        );
        const sorted = names.toSorted();
        const members = sorted.map((name) => `${JSON.stringify(name)}:${canonicalJson(object[name])}`);
        expect(canonicalJson(object)).toBe(`{${members.join(',')}}`);
      }),
    );
  });

  test('depends on nothing in a text but what it says: no space, order, escape or form of a number', () => {
    const one = '{"b":[1e2,-0,1E21,{"\\u0064":"\\/\\u00e9","c":null}],"a":1,"a":2}';
    const other = ' { "a" : 2.0 ,\n"b":[ 100, 0, 1000000000000000000000, {"c":null,"d":"/é"} ] } ';
    expect(canonicalJson(JSON.parse(one))).toBe('{"a":2,"b":[100,0,1e+21,{"c":null,"d":"/é"}]}');
    expect(canonicalJson(JSON.parse(other))).toBe(canonicalJson(JSON.parse(one)));
  });

  test('keeps apart what the log keeps apart: lone surrogates, and a key of the prototype', () => {
    expect(canonicalJson('\ud800')).toBe('"\\ud800"');
    expect(canonicalJson('\ud801')).not.toBe(canonicalJson('\ud800'));
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });
});

describe('an entry', () => {
  const record = recordedAs(
    {
      id: '0190a0c0-0000-7000-8000-000000000001' as EventId,
      type: 'MessageSent',
      data: { mid: 7, content: '你好 "quoted"' },
      metadata: { time: 1, actor: '1' },
    },
    {
      stream: 'conversation-f1-2' as StreamName,
      revision: 3,
      position: '0000000000000009' as Position,
      recorded: 1_700_000_000_123,
    },
  );

  test('is canonical JSON of what names the event, without its content or position', () => {
    const text = textOf(treeEntryOf(record));
    expect(text).toBe(canonicalize(JSON.parse(text)));
    expect(Object.keys(JSON.parse(text))).toEqual(['digest', 'id', 'recorded', 'revision', 'stream', 'type']);
    expect(text).not.toContain('你好');
    const elsewhere = { ...record, position: '0000000000000010' as Position };
    expect(textOf(treeEntryOf(elsewhere))).toBe(text);
  });

  test('has a digest that depends on all data and metadata, but not on the order of keys', () => {
    const digest = digestOf(record);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(digestOf({ ...record, data: { content: record.data.content, mid: 7 } })).toBe(digest);
    expect(digestOf({ ...record, data: { ...record.data, mid: 8 } })).not.toBe(digest);
    expect(digestOf({ ...record, metadata: { ...record.metadata, time: 2 } })).not.toBe(digest);
    expect(digestOf({ ...record, metadata: { ...record.metadata, more: null } })).not.toBe(digest);
  });

  test('stays below 64 KB with the longest names', () => {
    const names = { stream: '\u{fffd}'.repeat(200) as StreamName, type: '\u0001'.repeat(200) };
    expect(Buffer.byteLength(textOf(treeEntryOf({ ...record, ...names })))).toBeLessThan(3_000);
  });
});
