import { afterAll, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { createUploads } from '../../services/accounts/uploads.ts';
import { openAccounts } from '../support/accounts.ts';

const accounts = await openAccounts();
const uploads = createUploads(accounts.database);
const [amy, bob, eve] = [Uid.parse(1), Uid.parse(2), Uid.parse(3)];
afterAll(() => accounts.close());

/** A file takes whole blocks. */
const block = 4_096;

let files = 0;
const upload = (uid: Uid | undefined, bytes: number, name = 'x.pdf') => ({
  ...{ uid, bytes, name },
  path: `files/202104/${++files}.pdf`,
});

test('the name of an upload is kept, for other processes, too', async () => {
  const file = upload(amy, 10, '合同 "最终".pdf');
  await uploads.add(file, block);
  expect(await createUploads(accounts.another()).nameOf(file.path)).toBe('合同 "最终".pdf');
  expect(await uploads.nameOf('files/202104/older.pdf')).toBeUndefined();
});

test('uploads count up to the quota and not beyond, each person’s own', async () => {
  await uploads.add(upload(bob, 60 * block), 100 * block);
  const refused = upload(bob, 41 * block);
  await expect(uploads.add(refused, 100 * block)).rejects.toMatchObject({ reason: 'quotaUsed' });
  expect(await uploads.nameOf(refused.path)).toBeUndefined();
  await uploads.add(upload(bob, 40 * block), 100 * block);
  expect(await createUploads(accounts.another()).usedBy(bob)).toBe(100 * block);
  await expect(uploads.add(upload(bob, 1), 100 * block)).rejects.toMatchObject({ reason: 'quotaUsed' });
  await expect(uploads.add(upload(eve, 101 * block), 100 * block)).rejects.toMatchObject({
    reason: 'quotaUsed',
  });
  expect(await uploads.usedBy(eve)).toBe(0);
});

test('a small upload counts as a block of the disk', async () => {
  const uid = Uid.parse(6);
  for (const bytes of [0, 1, block, block + 1]) await uploads.add(upload(uid, bytes), 5 * block);
  expect(await uploads.usedBy(uid)).toBe(5 * block);
  await expect(uploads.add(upload(uid, 1), 5 * block)).rejects.toMatchObject({ reason: 'quotaUsed' });
});

test('of many at once, only those that fit are accepted', async () => {
  const uid = Uid.parse(4);
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => uploads.add(upload(uid, 10 * block), 95 * block)),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
  expect(await uploads.usedBy(uid)).toBe(90 * block);
});

test('what could not be stored is not counted', async () => {
  const file = upload(Uid.parse(5), 70);
  await uploads.add(file, block);
  await uploads.remove(file.path);
  expect(await uploads.usedBy(Uid.parse(5))).toBe(0);
  expect(await uploads.nameOf(file.path)).toBeUndefined();
});

test('uploads by the server’s key for no person have no quota', async () => {
  const file = upload(undefined, 1_000);
  await uploads.add(file, 100);
  expect(await uploads.nameOf(file.path)).toBe('x.pdf');
});
