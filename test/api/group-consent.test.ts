import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import {
  befriend,
  call,
  createGroup,
  done,
  type Person,
  refusedWith,
  three,
  two,
} from '../support/client.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

const set = (changes: Record<string, unknown>) => call(running, 'POST', '/setting/update', changes);

describe('who is asked before they are in a group', () => {
  const Applications = z.array(
    z.object({ nid: z.int(), type: z.string(), data: z.string(), from: z.int(), operation: z.string() }),
  );
  const received = async (who: Person) => Applications.parse((await who.get('/friend/applylist')).data);
  const isIn = async (who: Person, gid: number) => (await who.get('/group/detail', { gid })).code === 0;
  beforeAll(() => set({ group_consent: 'on' }));
  afterAll(() => set({ group_consent: 'off' }));

  test('is everyone who is not a friend of the person who adds them', async () => {
    const [tom, jerry, spike] = await three(running);
    await befriend(tom, jerry);
    const gid = await createGroup(tom, jerry, spike);
    expect([await isIn(jerry, gid), await isIn(spike, gid)]).toEqual([true, false]);
    const [invitation, ...others] = await received(spike);
    expect(others).toEqual([]);
    expect(invitation).toMatchObject({ type: 'join_group', from: tom.uid, operation: 'not_operated' });
    expect(JSON.parse(invitation?.data ?? '')).toMatchObject({ postscript: '', gid });
    expect((await spike.get('/friend/applycount')).data).toBe(1);
    // A second invitation by another member does not ask again.
    expect(await jerry.post('/group/memberadd', { gid, members: [spike.uid] })).toEqual(done);
    expect(await received(spike)).toHaveLength(1);
    const nid = invitation?.nid;
    expect(await jerry.post('/friend/agree', { nid })).toMatchObject({ code: 3 });
    expect(await spike.post('/friend/agree', { nid })).toEqual(done);
    expect(await isIn(spike, gid)).toBe(true);
    expect(await received(spike)).toMatchObject([{ operation: 'agree' }]);
    expect(await spike.post('/friend/agree', { nid })).toEqual(done);
    expect(await spike.post('/friend/refuse', { nid })).toMatchObject({ code: 210 });
    // That does not make them friends.
    expect(await spike.get('/user/get', { uid: tom.uid })).toMatchObject({ data: { is_friend: false } });
  });

  test('may refuse, and be asked again', async () => {
    const [tom, jerry] = await two(running);
    const gid = await createGroup(tom, jerry);
    const [first] = await received(jerry);
    expect(await jerry.post('/friend/refuse', { nid: first?.nid })).toEqual(done);
    expect(await jerry.post('/friend/refuse', { nid: first?.nid })).toEqual(done);
    expect(await jerry.post('/friend/agree', { nid: first?.nid })).toMatchObject({ code: 210 });
    expect(await isIn(jerry, gid)).toBe(false);
    expect(await tom.post('/group/memberadd', { gid, members: [jerry.uid] })).toEqual(done);
    const operations = (await received(jerry)).map(({ operation }) => operation);
    expect(operations.toSorted()).toEqual(['not_operated', 'refuse']);
  });

  test('cannot accept the invitation of a person who has left, but can be asked again by another', async () => {
    const [tom, jerry, spike] = await three(running);
    await befriend(tom, jerry);
    const gid = await createGroup(tom, jerry);
    expect(await jerry.post('/group/memberadd', { gid, members: [spike.uid] })).toEqual(done);
    const [invitation] = await received(spike);
    expect(invitation).toMatchObject({ from: jerry.uid });
    const nid = invitation?.nid;
    expect(await tom.post('/group/memberdel', { gid, members: [jerry.uid] })).toEqual(done);
    expect(await spike.post('/friend/agree', { nid })).toEqual({
      ...refusedWith(3, '邀请人已不在该群,邀请已失效'),
    });
    expect(await isIn(spike, gid)).toBe(false);
    expect(await tom.post('/group/memberadd', { gid, members: [spike.uid] })).toEqual(done);
    const [second, ended] = await received(spike);
    expect(second).toMatchObject({ from: tom.uid, operation: 'not_operated' });
    expect(ended).toMatchObject({ nid, from: jerry.uid, operation: 'refuse' });
    expect(await spike.post('/friend/agree', { nid: second?.nid })).toEqual(done);
    expect(await isIn(spike, gid)).toBe(true);
  });

  test('is answered by joining another way, and by nothing once the group is dissolved', async () => {
    const [tom, jerry, spike] = await three(running);
    const gid = await createGroup(tom, jerry, spike);
    expect(await jerry.post('/group/join', { gid })).toEqual(done);
    expect(await received(jerry)).toMatchObject([{ operation: 'agree' }]);
    expect(await tom.post('/group/delete', { gid })).toEqual(done);
    const [invitation] = await received(spike);
    expect(await spike.post('/friend/agree', { nid: invitation?.nid })).toMatchObject({ code: 701 });
    expect(await spike.post('/friend/refuse', { nid: invitation?.nid })).toEqual(done);
  });
});
