import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startOfLog } from '../../services/log/log.ts';
import type { Subject } from './contract.ts';
import { collect, event, events, freshCategory, freshId, streamOf, take } from './specimens.ts';

const numbers = [-0, 0.1, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 2 ** 53 + 2, -1.2345678901234567e19];
const strings = ['', '\0', '\ud800', 'x\udfff', '😀', '"\\/\b\f\n\r\t\u2028', '__proto__', '$append', '猫'];

export function describeRaw(subject: Subject): void {
  describe('the raw texts of an event', () => {
    it('are the output of JSON.stringify, and are parsed without loss', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const objects = fc.dictionary(fc.oneof(fc.constantFrom(...strings), fc.string()), fc.jsonValue(), {
        noNullPrototype: true,
      });
      const sampled = fc.sample(objects, 40).map((data) => event(data));
      const data = { numbers, strings, 10: 'first', 9: 'second', deep: { list: [[[{ a: null }]]] } };
      const given = [event(data), { ...event(data), metadata: { actor: '9', ...data } }, ...sampled] as const;
      await log.append(stream, 'none', given);
      const stored = await collect(log.readStream(stream));
      expect(stored.map(({ raw }) => raw.data)).toEqual(given.map((one) => JSON.stringify(one.data)));
      expect(stored.map(({ raw }) => raw.metadata)).toEqual(given.map((one) => JSON.stringify(one.metadata)));
      expect(stored.map((one) => JSON.stringify(one.data))).toEqual(stored.map(({ raw }) => raw.data));
      expect(stored.map((one) => JSON.stringify(one.metadata))).toEqual(
        stored.map(({ raw }) => raw.metadata),
      );
    });

    it('are the same for every way of reading, in this process and another', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      const stream = streamOf(category);
      const prefixes = [`${category}-`];
      const following = take(log, 3, { after: await log.end(), prefixes });
      await log.append(stream, 'any', [{ ...event({ a: 1 }), metadata: {} }, ...events(2)]);
      const textsOf = (records: Awaited<typeof following>) =>
        records.map(({ raw: { data, metadata } }) => [data, metadata]);
      const expected = [
        ['{"a":1}', '{}'],
        ['{"index":0}', '{"version":1}'],
        ['{"index":1}', '{"version":1}'],
      ];
      expect(textsOf(await following)).toEqual(expected);
      expect(textsOf(await take(other, 3, { after: startOfLog, prefixes }))).toEqual(expected);
      expect(textsOf(await collect(other.readAll({ prefixes })))).toEqual(expected);
      const backwards = await collect(other.readStream(stream, { direction: 'backwards' }));
      expect(textsOf(backwards.reverse())).toEqual(expected);
      const at = await Promise.all(backwards.map(({ position }) => log.at(position)));
      expect(textsOf(at.filter((record) => record !== undefined))).toEqual(expected);
    });
  });

  describe('the time at which an event was recorded', () => {
    it('is the same for every way of reading', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      const prefixes = [`${category}-`];
      const following = take(log, 2, { after: await log.end(), prefixes });
      await log.append(streamOf(category), 'any', [event({}, freshId())]);
      await other.append(streamOf(category), 'any', [event({}, freshId())]);
      const times = (await following).map(({ recorded }) => recorded);
      expect((await collect(other.readAll({ prefixes }))).map(({ recorded }) => recorded)).toEqual(times);
    });
  });
}
