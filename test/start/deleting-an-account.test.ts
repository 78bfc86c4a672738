import { expect, test } from 'vitest';
import { z } from 'zod';
import { preparedFolder } from '../support/prepared-folder.ts';
import { type Standalone, startStandalone } from '../support/standalone.ts';

const friends = 24;
const Uid = z.object({ uid: z.int() });
const Gid = z.object({ gid: z.coerce.number() });

async function add({ call }: Standalone, username: string): Promise<number> {
  const person = { username, nickname: username, password: 'secret-1' };
  return Uid.parse((await call('/api/user/add', 'server', person)).data).uid;
}

test('a deletion that kill -9 cut off is gone on with at the next start, and nothing is left of the account', async () => {
  const folder = await preparedFolder();
  const before = await startStandalone(folder);
  const tom = await add(before, 'tom');
  const people = await Promise.all(
    Array.from({ length: friends }, (_, index) => add(before, `friend${index}`)),
  );
  await Promise.all(
    people.map((uid) => before.call('/api/friend/add', 'server', { login_uid: tom, friend_uid: uid })),
  );
  const made = await Promise.all(
    people
      .slice(0, 4)
      .map((uid) => before.call('/api/group/create', 'server', { login_uid: tom, members: uid })),
  );
  const gids = made.map(({ data }) => Gid.parse(data).gid);
  const cutOff = before.call('/api/user/delete', 'server', { uid: tom }).catch(() => undefined);
  await expect
    .poll(() => before.call('/api/user/get', 'server', { uid: tom }), { interval: 1, timeout: 20_000 })
    .toMatchObject({ code: 101 });
  before.program.signal('SIGKILL');
  await before.program.ended;
  await cutOff;

  const after = await startStandalone(folder);
  const hasNoFriend = async (uid: number) => {
    const answer = await after.call('/api/friend/getlist', 'server', { login_uid: uid });
    return (
      answer.code === 0 && Object.keys(z.record(z.string(), z.unknown()).parse(answer.data)).length === 0
    );
  };
  const owners = async () => {
    const details = await Promise.all(
      gids.map((gid, index) =>
        after.call('/api/group/detail', 'server', { login_uid: people[index] ?? 0, gid, simple: 1 }),
      ),
    );
    return details.map(({ data }) => Uid.safeParse(data).data?.uid);
  };
  await expect
    .poll(async () => (await Promise.all(people.map(hasNoFriend))).every(Boolean), { timeout: 30_000 })
    .toBe(true);
  await expect.poll(owners, { timeout: 30_000 }).toEqual(people.slice(0, 4));
  const login = { username: 'tom', password: 'secret-1' };
  expect(await after.call('/api/login/login', 'nobody', login)).toMatchObject({ code: 2 });
  expect(await add(after, 'TOM')).not.toBe(tom);
});
