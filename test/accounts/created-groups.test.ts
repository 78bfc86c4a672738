import { afterAll, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { createCreatedGroups, randomGid } from '../../services/accounts/created-groups.ts';
import { openAccounts } from '../support/accounts.ts';

const accounts = await openAccounts();
const groups = createCreatedGroups(accounts.database);
const [amy, bob] = [Uid.parse(1), Uid.parse(2)];
afterAll(() => accounts.close());

test('a gid has nine digits', () => {
  for (let count = 0; count < 1000; count++) expect(String(randomGid())).toMatch(/^[1-9]\d{8}$/);
});

test('a repeat gets the first one’s group and the hash of its request', async () => {
  const gid = randomGid();
  expect(await groups.claimGroup(amy, 'once', gid, 'first')).toEqual({ gid, requestHash: 'first' });
  expect(await groups.claimGroup(amy, 'once', randomGid(), 'second')).toEqual({ gid, requestHash: 'first' });
});

test('twenty at once get one and the same group', async () => {
  const claims = await Promise.all(
    Array.from({ length: 20 }, () => groups.claimGroup(amy, 'at once', randomGid(), 'same')),
  );
  expect(new Set(claims.map(({ gid }) => gid)).size).toBe(1);
});

test('the uniqueId is each person’s own, and case counts', async () => {
  const { gid } = await groups.claimGroup(amy, 'mine', randomGid(), 'hash');
  expect((await groups.claimGroup(bob, 'mine', randomGid(), 'hash')).gid).not.toBe(gid);
  expect((await groups.claimGroup(amy, 'Mine', randomGid(), 'hash')).gid).not.toBe(gid);
});

test('a gid that was another’s group is replaced once, over all attempts', async () => {
  const taken = randomGid();
  await groups.claimGroup(bob, 'unlucky', taken, 'hash');
  const claims = await Promise.all(
    Array.from({ length: 5 }, () => groups.replaceGroup(bob, 'unlucky', taken, randomGid())),
  );
  const [first] = claims;
  expect(first?.gid).not.toBe(taken);
  for (const claim of claims) expect(claim).toEqual(first);
  expect(await groups.claimGroup(bob, 'unlucky', randomGid(), 'hash')).toEqual(first);
});
