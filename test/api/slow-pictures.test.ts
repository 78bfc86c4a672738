import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { person } from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const asked = (uids: readonly number[]) =>
  fetch(`${running.url}/h5/group/avatar?uid=${uids.join(',')}`, { headers: serverKey });

/** The items in the order of that number: another one each up to the factorial of how many they are. */
function inOrder<Item>(items: readonly Item[], number: number): Item[] {
  const left = [...items];
  let rest = number;
  return items.flatMap(() => {
    const index = rest % left.length;
    rest = Math.floor(rest / left.length);
    return left.splice(index, 1);
  });
}

test('more groups than can be drawn in time get the default picture, which is not cached', async () => {
  const people = await Promise.all(Array.from({ length: 9 }, (_, index) => person(running, `人${index}`)));
  const uids = people.map(({ uid }) => uid);
  // Each in another order is another picture; past a hundred the line is full.
  const orders = Array.from({ length: 600 }, (_, index) => inOrder(uids, index));
  const answers = await Promise.all(orders.map(asked));
  const kinds = answers.map(({ status, headers }) => `${status} ${headers.get('cache-control')}`);
  const given = new Set(kinds);
  expect(given).toEqual(new Set(['200 public, max-age=300', '200 no-store']));
  const standIn = await fetch(`${running.url}/static/img/avatar.jpg`);
  const late = answers[kinds.indexOf('200 no-store')];
  expect(await late?.arrayBuffer()).toEqual(await standIn.arrayBuffer());
  const drawn = orders[kinds.indexOf('200 public, max-age=300')] ?? [];
  expect((await asked(drawn)).headers.get('cache-control')).toBe('public, max-age=300');
});
