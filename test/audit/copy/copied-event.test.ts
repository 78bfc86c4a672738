import { expect, test } from 'vitest';
import { type CopiedEvent, eventIn, lineOf, OtherLine } from '../../../services/audit/copy/copied-event.ts';
import { streamName } from '../../../services/domain/aggregate.ts';
import { parseStored } from '../../../services/log/stored-json.ts';
import { newEventId } from '../../support/projecting.ts';

const eventOf = (data: string): CopiedEvent => ({
  ...{ stream: streamName('user-1'), revision: 0, id: newEventId(), type: 'Registered', recorded: 1 },
  ...{ data: parseStored(data), metadata: parseStored('{"time":1}') },
});

test.each([
  ['keys that are numbers, and a prototype', '{"b":1,"2":3,"__proto__":{"__proto__":1}}'],
  ['numbers that other programs write', '{"a":1.0,"b":1E3,"c":-0,"d":1e400,"e":2.00000000000000000007}'],
  ['characters that are no text', '{"a":"\\u0000\\ud800\\u2028\ufeff"}'],
  ['no object', '[1]'],
])('an event with %s is written in a line that is read as it', (_what, data) => {
  const line = lineOf(eventOf(data)).trimEnd();
  expect(`${lineOf(eventIn(line)).trimEnd()}`).toBe(line);
});

test.each([
  ['a key twice', '{"uid":1}', '{"uid":7,"uid":1}'],
  ['a key that no event has', '"recorded"', '"more":1,"recorded"'],
  ['its keys in another order', /"type":"Registered",("recorded":1),/, '$1,"type":"Registered",'],
  ['a number written otherwise', '"revision":0', '"revision":0.0'],
  ['a blank at its end', /$/, ' '],
])('a line with %s is no line of an event', (_what, place, text) => {
  const line = lineOf(eventOf('{"uid":1}')).trimEnd();
  const other = line.replace(place, text);
  expect(other).not.toBe(line);
  expect(() => eventIn(other)).toThrow(OtherLine);
});
