import { describe, expect, it } from 'vitest';
import { metadataOfCopy } from '../../services/log/original-time.ts';
import type { Subject } from './contract.ts';
import { collect, event, freshCategory, streamOf, take } from './specimens.ts';

export function describeCopies(subject: Subject): void {
  describe('a copy of an event', () => {
    it('has the time, the metadata and the texts of the original, whichever way it is read', async () => {
      const { log, other } = subject;
      const [category, recorded] = [freshCategory(), 1_600_000_000_123];
      const stream = streamOf(category);
      const prefixes = [`${category}-`];
      const originals = [event({ a: 1 }), { ...event({ b: 2 }), metadata: {} }] as const;
      const [one, two] = originals;
      const following = take(log, 2, { after: await log.end(), prefixes });
      await log.append(stream, 'none', [
        { ...one, metadata: metadataOfCopy({ ...one, recorded }) },
        { ...two, metadata: metadataOfCopy({ ...two, recorded: recorded + 1 }) },
      ]);
      const expected = originals.map(({ id, data, metadata }, index) => ({
        ...{ id, data, metadata, recorded: recorded + index },
        raw: [JSON.stringify(data), JSON.stringify(metadata)],
      }));
      const shown = (records: Awaited<typeof following>) =>
        records.map(({ id, data, metadata, recorded, raw }) => ({
          ...{ id, data, metadata, recorded },
          raw: [raw.data, raw.metadata],
        }));
      expect(shown(await following)).toEqual(expected);
      expect(shown(await collect(other.readStream(stream)))).toEqual(expected);
      expect(shown(await collect(other.readAll({ prefixes })))).toEqual(expected);
      const [{ position } = { position: await log.end() }] = await collect(log.readStream(stream));
      expect(await other.at(position)).toMatchObject({ recorded, metadata: one.metadata });
    });

    it.each([9e15, -9e15, 0.5, '1'])(
      'has the time of the store if it says %j, which no date has',
      async (time) => {
        const { log } = subject;
        const stream = streamOf(freshCategory());
        const metadata = { $recorded: time };
        await log.append(stream, 'none', [{ ...event({}), metadata }]);
        const [{ recorded, metadata: read } = {}] = await collect(log.readStream(stream));
        expect(new Date(recorded ?? Number.NaN).getFullYear()).toBeGreaterThan(2000);
        expect(read).toEqual(metadata);
      },
    );
  });
}
