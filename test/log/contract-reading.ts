import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type EventLog, type Position, type StreamName, startOfLog } from '../../services/log/log.ts';
import type { Subject } from './contract.ts';
import { collect, event, events, freshCategory, orderFaults, streamOf } from './specimens.ts';

export function describeReading(subject: Subject, open: () => Promise<EventLog>): void {
  describe('reading a stream', () => {
    it('goes forwards or backwards, from a revision, up to a limit', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      await log.append(stream, 'none', events(7));
      const read = async (options: Parameters<EventLog['readStream']>[1]) =>
        (await collect(log.readStream(stream, options))).map(({ revision }) => revision);
      expect(await read({})).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(await read({ from: 5 })).toEqual([5, 6]);
      expect(await read({ from: 7 })).toEqual([]);
      expect(await read({ from: 2, limit: 3 })).toEqual([2, 3, 4]);
      expect(await read({ limit: 0 })).toEqual([]);
      expect(await read({ direction: 'backwards' })).toEqual([6, 5, 4, 3, 2, 1, 0]);
      expect(await read({ direction: 'backwards', limit: 1 })).toEqual([6]);
      expect(await read({ direction: 'backwards', from: 3, limit: 2 })).toEqual([3, 2]);
      expect(await read({ direction: 'backwards', from: 0 })).toEqual([0]);
    });

    it('returns nothing for a stream that does not exist', async () => {
      const stream = streamOf(freshCategory());
      expect(await collect(subject.log.readStream(stream))).toEqual([]);
      expect(await collect(subject.log.readStream(stream, { direction: 'backwards' }))).toEqual([]);
    });

    it('returns all of a long stream in order, in both directions', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      for (let round = 0; round < 3; round++) await log.append(stream, 'any', events(700));
      const forwards = await collect(log.readStream(stream));
      expect(forwards).toHaveLength(2100);
      expect(orderFaults(forwards)).toEqual([]);
      const backwards = await collect(log.readStream(stream, { direction: 'backwards' }));
      expect(backwards.reverse()).toEqual(forwards);
      const part = await collect(log.readStream(stream, { from: 100, limit: 1000 }));
      expect(part).toEqual(forwards.slice(100, 1100));
    });
  });

  describe('reading several streams', () => {
    it('gives the events of many short and some long streams in the order of the log, or in the reverse order', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      const names = Array.from({ length: 120 }, (_, index) => streamOf(category, index));
      const [long = streamOf(category), longer = streamOf(category)] = names;
      for (let round = 0; round < 3; round++) {
        await Promise.all(names.map((name) => log.append(name, 'any', events(2))));
        await log.append(long, 'any', events(60));
        await log.append(longer, 'any', events(400));
      }
      const others = streamOf(category, 'others');
      await log.append(others, 'none', events(3));
      const all = await collect(log.readAll({ prefixes: [`${category}-`] }));
      const expected = all.filter(({ stream }) => stream !== others);
      expect(expected).toHaveLength(3 * (2 * 120 + 460));
      const asked = [...names, long, streamOf(category, 'unknown')];
      expect(await collect(other.readStreams(asked))).toEqual(expected);
      const backwards = await collect(other.readStreams(asked, { direction: 'backwards' }));
      expect(backwards).toEqual(expected.toReversed());
    });

    it('gives all of streams whose events fill a page each', async () => {
      const { log } = subject;
      const category = freshCategory();
      const names = [streamOf(category, 1), streamOf(category, 2)];
      const text = 'x'.repeat(600_000);
      for (let round = 0; round < 4; round++)
        for (const name of names) await log.append(name, 'any', [event({ round, text })]);
      expect(await collect(log.readStreams(names))).toEqual(
        await collect(log.readAll({ prefixes: [`${category}-`] })),
      );
    });

    it('gives nothing of no streams, and refuses an illegal name', async () => {
      expect(await collect(subject.log.readStreams([]))).toEqual([]);
      await expect(collect(subject.log.readStreams(['$all' as StreamName]))).rejects.toThrow(TypeError);
    });
  });

  describe('reading single events of streams', () => {
    it('gives them in the order asked, and leaves out those that are not there', async () => {
      const { log, other } = subject;
      const names = [streamOf(freshCategory()), streamOf(freshCategory())];
      for (const name of names) await log.append(name, 'none', events(7));
      const [one = [], two = []] = await Promise.all(names.map((name) => collect(log.readStream(name))));
      const asked = [two[6], one[0], one[3], two[0], one[3]].flatMap((record) => record ?? []);
      const [absent] = one.map(({ stream }) => ({ stream, revision: 7 }));
      const unknown = { stream: streamOf(freshCategory()), revision: 0 };
      const places = asked.map(({ stream, revision }) => ({ stream, revision }));
      const found = await collect(
        other.readEvents([unknown, ...places, ...(absent ? [absent] : []), ...places]),
      );
      expect(found).toEqual([...asked, ...asked]);
    });

    it('gives more than are read at once', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      await log.append(stream, 'none', events(300));
      const all = await collect(log.readStream(stream));
      const asked = [...all, ...all, ...all, ...all];
      expect(await collect(log.readEvents(asked))).toEqual(asked);
    });

    it('gives those of a stream that are close together and far apart, in any order', async () => {
      const { log } = subject;
      const stream = streamOf(freshCategory());
      await log.append(stream, 'none', events(200));
      const all = await collect(log.readStream(stream));
      const revisions = [199, 0, 17, 16, 100, 101, 103, 17, 198, 60];
      const asked = revisions.flatMap((revision) => all[revision] ?? []);
      const places = [...revisions, 200, 205].map((revision) => ({ stream, revision }));
      expect(await collect(log.readEvents(places))).toEqual(asked);
    });

    it('gives nothing of none, and refuses an illegal name', async () => {
      expect(await collect(subject.log.readEvents([]))).toEqual([]);
      const illegal = [{ stream: '$all' as StreamName, revision: 0 }];
      await expect(collect(subject.log.readEvents(illegal))).rejects.toThrow(TypeError);
    });
  });

  describe('reading the event at a position', () => {
    it('returns that event, of any stream', async () => {
      const { log, other } = subject;
      const category = freshCategory();
      for (const name of ['a', 'b', 'a']) await log.append(streamOf(category, name), 'any', events(2));
      const all = await collect(log.readAll({ prefixes: [`${category}-`] }));
      for (const record of all) expect(await other.at(record.position)).toEqual(record);
    });

    it('returns nothing if there is none, and throws for an illegal position', async () => {
      const { log } = subject;
      await log.append(streamOf(freshCategory()), 'any', events(1));
      const end = await log.end();
      const beyond = end.replace(/^./, '8') as Position;
      expect(await log.at(beyond)).toBeUndefined();
      expect(await log.at(startOfLog)).toBeUndefined();
      await expect(log.at('nowhere' as Position)).rejects.toThrow(TypeError);
    });
  });

  describe('reading all', () => {
    it('begins strictly after a position, of streams with certain prefixes, up to a limit', async () => {
      const { log } = subject;
      const [first, second] = [freshCategory(), freshCategory()];
      for (const category of [first, second, first, second]) {
        await log.append(streamOf(category), 'any', events(2));
      }
      const prefixes = [`${first}-`, `${second}-`];
      const both = await collect(log.readAll({ prefixes }));
      expect(both.map(({ stream }) => stream.split('-')[0])).toEqual(
        [first, second, first, second].flatMap((category) => [category, category]),
      );
      expect(orderFaults(both)).toEqual([]);
      for (const [index, { position }] of both.entries()) {
        expect(await collect(log.readAll({ prefixes, after: position }))).toEqual(both.slice(index + 1));
      }
      expect(await collect(log.readAll({ prefixes, limit: 3 }))).toEqual(both.slice(0, 3));
      const one = await collect(log.readAll({ prefixes: [`${first}-`] }));
      expect(one).toEqual(both.filter(({ stream }) => stream.startsWith(`${first}-`)));
      expect(await collect(log.readAll({ after: await log.end(), prefixes }))).toEqual([]);
    });

    it('ends by a signal, also while no event of the prefixes comes', async () => {
      const { log } = subject;
      await log.append(streamOf(freshCategory()), 'none', events(1));
      const ending = new AbortController();
      const read = collect(log.readAll({ prefixes: [`${freshCategory()}-`], signal: ending.signal }));
      ending.abort(new Error('nobody waits for it'));
      await expect(read).rejects.toThrow('nobody waits for it');
    });

    it('reads a prefix literally', async () => {
      const { log } = subject;
      const category = freshCategory();
      await log.append(streamOf(`${category}%_\\`), 'none', events(1));
      await log.append(streamOf(`${category}xy`), 'none', events(1));
      expect(await collect(log.readAll({ prefixes: [`${category}%`] }))).toHaveLength(1);
      expect(await collect(log.readAll({ prefixes: [`${category}_`] }))).toHaveLength(0);
      expect(await collect(log.readAll({ prefixes: [category] }))).toHaveLength(2);
    });

    it('knows the end of some streams behind many events of others', async () => {
      const { log, other } = subject;
      const [few, many] = [freshCategory(), freshCategory()];
      await log.append(streamOf(few), 'none', events(2));
      const [, last] = await collect(log.readAll({ prefixes: [`${few}-`] }));
      expect(await other.end([`${few}-`])).toBe(last?.position);
      await log.append(streamOf(many), 'none', events(60));
      expect(await other.end([`${few}-`])).toBe(last?.position);
      const others = await collect(log.readAll({ prefixes: [`${many}-`] }));
      expect(await log.end([`${few}-`, `${many}-`])).toBe(others.at(-1)?.position);
    });

    it("returns all streams except the store's own", async () => {
      const { log } = subject;
      const before = await log.end();
      await log.append(streamOf(freshCategory()), 'none', events(1));
      const all = await collect(log.readAll({ after: before }));
      expect(all.length).toBeGreaterThan(0);
      expect(all.filter(({ stream }) => stream.startsWith('$'))).toEqual([]);
      expect((await collect(log.readAll({ after: startOfLog, limit: 1 })))[0]?.position).toBeTruthy();
    });

    it('ends at the end of the log at the time of the call', async () => {
      const { log } = subject;
      const category = freshCategory();
      const stream = streamOf(category);
      await log.append(stream, 'none', events(600));
      let seen = 0;
      for await (const _ of log.readAll({ prefixes: [`${category}-`] })) {
        seen++;
        if (seen < 50) await log.append(stream, 'any', events(20));
      }
      expect(seen).toBe(600);
    });

    it('reads 100,000 events in constant memory', { timeout: 120_000 }, async () => {
      const log = await open();
      const category = freshCategory();
      const text = 'x'.repeat(300);
      for (let written = 0; written < 100_000; written += 10_000) {
        await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            log.append(streamOf(category, index), 'any', [
              event({ text }),
              ...Array.from({ length: 499 }, () => event({ text })),
            ]),
          ),
        );
      }
      let count = 0;
      let begun = 0;
      let maxUsed = 0;
      for await (const record of log.readAll({ prefixes: [`${category}-`] })) {
        if (record.data.text !== text) throw new Error('another text was read');
        if (++count % 10_000 !== 0) continue;
        const used = usedMemory();
        begun ||= used;
        maxUsed = Math.max(maxUsed, used);
      }
      await log.close();
      expect(count).toBe(100_000);
      // All of them would take more than 60 MB.
      expect(maxUsed - begun).toBeLessThan(15_000_000);
    });
  });
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function usedMemory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
