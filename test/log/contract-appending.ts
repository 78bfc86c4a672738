import { describe, expect, it } from 'vitest';
import { maxAppendBytes, type StreamName } from '../../services/log/log.ts';
import type { Subject } from './contract.ts';
import { collect, event, events, freshCategory, freshId, idsOf, orderFaults, streamOf } from './specimens.ts';

export function describeAppending(subject: Subject): void {
  describe('appending', () => {
    it('numbers a stream from 0, and returns revision and position of the last event', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const first = await log.append(stream, 'any', events(1));
      const second = await log.append(stream, 'any', events(3));
      expect(first).toMatchObject({ outcome: 'appended', revision: 0 });
      expect(second).toMatchObject({ outcome: 'appended', revision: 3 });
      const stored = await collect(log.readStream(stream));
      expect(stored.map(({ revision }) => revision)).toEqual([0, 1, 2, 3]);
      expect(stored.at(-1)?.position).toBe(second.outcome === 'appended' && second.position);
      expect(await log.end()).toBe(stored.at(-1)?.position);
    });

    it('stores what was given, with the time of recording', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const given = {
        id: freshId(),
        type: '消息已发送',
        data: { deep: { list: [1, null, true, 'x', { a: {} }] }, large: Number.MAX_SAFE_INTEGER, half: 0.5 },
        metadata: { actor: '9', $correlationId: freshId() },
      };
      const before = Date.now();
      await log.append(stream, 'none', [given]);
      const [stored] = await collect(log.readStream(stream));
      expect(stored).toMatchObject({ ...given, stream });
      expect(stored?.recorded).toBeGreaterThan(before - 60_000);
      expect(stored?.recorded).toBeLessThan(Date.now() + 60_000);
    });

    it('appends only at the expected revision', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      expect(await log.append(stream, 0, events(1))).toEqual({ outcome: 'conflict', actual: 'none' });
      expect(await log.append(stream, 'none', events(2))).toMatchObject({ revision: 1 });
      expect(await log.append(stream, 'none', events(1))).toEqual({ outcome: 'conflict', actual: 1 });
      expect(await log.append(stream, 0, events(1))).toEqual({ outcome: 'conflict', actual: 1 });
      expect(await log.append(stream, 2, events(1))).toEqual({ outcome: 'conflict', actual: 1 });
      expect(await log.append(stream, 1, events(1))).toMatchObject({ revision: 2 });
      expect(await collect(log.readStream(stream))).toHaveLength(3);
    });

    it('decides each of several concurrent appends by itself', async () => {
      const { log } = subject;
      const category = freshCategory();
      await log.append(streamOf(category, 'full'), 'none', events(2));
      await log.append(streamOf(category, 'd'), 'none', events(1));
      const [a, full, b, c, further, again, ...rivals] = await Promise.all([
        log.append(streamOf(category, 'a'), 'none', events(1)),
        log.append(streamOf(category, 'full'), 'none', events(1)),
        log.append(streamOf(category, 'b'), 4, events(1)),
        log.append(streamOf(category, 'c'), 'any', events(2)),
        log.append(streamOf(category, 'full'), 1, events(1)),
        log.append(streamOf(category, 'c'), 'any', events(1)),
        log.append(streamOf(category, 'd'), 0, events(1)),
        log.append(streamOf(category, 'd'), 0, events(1)),
      ]);
      expect(a).toMatchObject({ outcome: 'appended', revision: 0 });
      expect(b).toEqual({ outcome: 'conflict', actual: 'none' });
      expect(further).toMatchObject({ outcome: 'appended', revision: 2 });
      // Concurrent appends to one stream are decided in any order.
      expect(full).toEqual({ outcome: 'conflict', actual: expect.toBeOneOf([1, 2]) });
      expect([c, again]).toMatchObject(
        again.outcome === 'appended' && again.revision === 0
          ? [{ outcome: 'appended', revision: 2 }, { outcome: 'appended' }]
          : [
              { outcome: 'appended', revision: 1 },
              { outcome: 'appended', revision: 2 },
            ],
      );
      expect(rivals).toContainEqual(expect.objectContaining({ outcome: 'appended', revision: 1 }));
      expect(rivals).toContainEqual({ outcome: 'conflict', actual: 1 });
    });

    it('lets exactly one of sixty concurrent appends create a stream', async () => {
      const { log, other } = subject;
      const stream = streamOf(freshCategory());
      const tries = Array.from({ length: 60 }, (_, index) =>
        (index % 2 === 0 ? log : other).append(stream, 'none', events(2)),
      );
      const outcomes = (await Promise.all(tries)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(59);
      expect(await collect(log.readStream(stream))).toHaveLength(2);
    });

    it('has one order without loss with 400 callers in two processes', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      const written = await Promise.all(
        Array.from({ length: 400 }, async (_, caller) => {
          const mine = caller % 2 === 0 ? log : other;
          const ids = [];
          for (let round = 0; round < 5; round++) {
            const batch = events(1 + (caller % 3));
            // Every stream has four writers, two in each process.
            const answer = await mine.append(streamOf(category, Math.floor(caller / 4)), 'any', batch);
            expect(answer.outcome).toBe('appended');
            ids.push(idsOf(batch));
          }
          return ids;
        }),
      );
      const stored = await collect(log.readAll({ prefixes: [`${category}-`] }));
      expect(orderFaults(stored)).toEqual([]);
      expect(idsOf(stored).toSorted()).toEqual(written.flat(2).toSorted());
      const indexes = new Map(stored.map(({ id }, index) => [id, index]));
      for (const ids of written) {
        const mine = ids.flat().map((id) => indexes.get(id) ?? -1);
        expect(mine).toEqual(mine.toSorted((a, b) => a - b));
        // An append's events are adjacent.
        for (const together of ids) {
          const at = together.map((id) => indexes.get(id) ?? -1);
          expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBe(together.length - 1);
        }
      }
    });
  });

  describe('what every log accepts', () => {
    it('preserves every string', async () => {
      const { log, other } = subject;
      const stream = streamOf(freshCategory());
      const low = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
      const strings = [low, '泡泡🫧👩‍👩‍👧', '\ud83d', '\udc00x\ud800', '\u2028\ufeff\uffff', '"\\u0000"', ''];
      const given = { ...event({ strings, [low]: 1, '\ud800': 2 }), metadata: { strings } };
      await log.append(stream, 'none', [given]);
      for (const reader of [log, other]) {
        const [stored] = await collect(reader.readStream(stream));
        expect(stored?.data).toEqual(given.data);
        expect(stored?.metadata).toEqual(given.metadata);
      }
    });

    it('accepts an append of the maximum size, and refuses one byte more', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const text = '泡'.repeat(300_000);
      const frame = Buffer.byteLength(JSON.stringify({ text }));
      const largest = event({ text: text + 'x'.repeat(maxAppendBytes - frame) });
      expect(await log.append(stream, 'none', [largest])).toMatchObject({ outcome: 'appended' });
      const [stored] = await collect(log.readStream(stream));
      expect(stored?.data.text === largest.data.text).toBe(true);
      const tooLarge = [event({ text: largest.data.text }), event({})] as const;
      await expect(log.append(stream, 'any', tooLarge)).rejects.toThrow(TypeError);
      expect(await collect(log.readStream(stream))).toHaveLength(1);
    });

    it('accepts names of streams up to their limits', async () => {
      const { log } = subject;
      const category = freshCategory();
      const longest = `${category}-${'x'.repeat(199 - category.length)}` as StreamName;
      for (const stream of [longest, streamOf(category, '泡泡 "%_\\')]) {
        expect(await log.append(stream, 'none', events(1))).toMatchObject({ revision: 0 });
        expect(await collect(log.readStream(stream))).toMatchObject([{ stream }]);
      }
    });

    it('accepts event types up to their limits', async () => {
      const { log, other } = subject;
      const stream = streamOf(freshCategory());
      const types = ['x'.repeat(200), '消'.repeat(200), '$own', ' "%_\\'];
      for (const type of types) await log.append(stream, 'any', [{ ...event(), type }]);
      for (const reader of [log, other]) {
        expect((await collect(reader.readStream(stream))).map(({ type }) => type)).toEqual(types);
      }
    });

    const illegalNames = [
      ['an empty name', ''],
      ['a name too long', `a-${'x'.repeat(199)}`],
      ['a name with NUL', 'a-\0'],
      ['a name with a lone surrogate', 'a-\ud800'],
    ] as const;

    it.each([...illegalNames, ['a name of the store itself', '$settings'] as const])(
      'refuses %s for a stream, when appending and when reading',
      async (_, name) => {
        const stream = name as StreamName;
        await expect(subject.log.append(stream, 'any', events(1))).rejects.toThrow(TypeError);
        await expect(collect(subject.log.readStream(stream))).rejects.toThrow(TypeError);
      },
    );

    it.each(illegalNames)('refuses %s for an event type', async (_, type) => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      await expect(log.append(stream, 'any', [event(), { ...event(), type }])).rejects.toThrow(TypeError);
      expect(await collect(log.readStream(stream))).toEqual([]);
    });

    it('refuses a repeated id in one append, and an id that is not a UUID', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      const id = freshId();
      await expect(log.append(stream, 'any', [event({}, id), event({}, id)])).rejects.toThrow(TypeError);
      const shouted = id.toUpperCase() as typeof id;
      await expect(log.append(stream, 'any', [event({}, id), event({}, shouted)])).rejects.toThrow(TypeError);
      const wrong = { ...event(), id: 'one' as typeof id };
      await expect(log.append(stream, 'any', [wrong])).rejects.toThrow(TypeError);
      expect(await collect(log.readStream(stream))).toEqual([]);
    });
  });
}
