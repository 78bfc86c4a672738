import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { ReplyId } from '../../contracts/ids.ts';
import { defaultSettings, settingsOf } from '../../contracts/settings.ts';
import { registered, uid } from '../support/events.ts';
import { openWorld, type World } from '../support/projecting.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world.close());

describe('a person', () => {
  it('is stored as registered, then as changed', async () => {
    await world.given(registered(1, '甲'), registered(1, '又一个'));
    await world.project();
    expect(await world.rows('users')).toEqual([
      {
        uid: '1',
        username: 'user1',
        nickname: '甲',
        avatar: '',
        sign: '',
        phone: null,
        number_id: '7000001',
        is_member: false,
        account_state: 'normal',
        parent: null,
        created: '1700000000',
      },
    ]);
    const data = { uid: uid(1) };
    await world.given(
      { type: 'ProfileChanged', data: { ...data, nickname: '乙', sign: '签名' } },
      { type: 'ProfileChanged', data: { ...data, avatar: '/a.png' } },
      { type: 'AccountDisabled', data },
      { type: 'MembershipGranted', data },
    );
    await world.project();
    const changed = { nickname: '乙', sign: '签名', avatar: '/a.png' };
    expect(await world.rows('users')).toMatchObject([
      { ...changed, is_member: true, account_state: 'disabled' },
    ]);
    await world.given({ type: 'AccountEnabled', data }, { type: 'MembershipRevoked', data });
    await world.project();
    expect(await world.rows('users')).toMatchObject([
      { ...changed, is_member: false, account_state: 'normal' },
    ]);
    await world.given({ type: 'PhoneBound', data: { ...data, phone: '13800000000' } });
    await world.given({ type: 'AccountDeleted', data });
    await world.project();
    expect(await world.rows('users')).toMatchObject([{ ...changed, account_state: 'deleted', phone: null }]);
    expect(await world.rows('deletions')).toEqual([{ uid: '1', begun: '1700000000' }]);
    await world.given({ type: 'AccountDeletionCompleted', data });
    await world.project();
    expect(await world.rows('deletions')).toEqual([]);
  });
});

describe('replies', () => {
  const reply = (rid: number, more: { type?: 1 | 3; isDefault?: boolean; title?: string }): DomainEvent => ({
    type: 'ReplyAdded',
    data: {
      rid: ReplyId.parse(rid),
      uid: uid(1),
      type: 1,
      title: `t${rid}`,
      content: 'c',
      weights: 100,
      isDefault: false,
      ...more,
    },
  });
  const defaults = async () =>
    (await world.query<{ rid: string }>('select rid from read.replies where is_default order by rid')).map(
      ({ rid }) => rid,
    );

  it('have one default for each type', async () => {
    await world.given(reply(1, { isDefault: true }), reply(2, { type: 3, isDefault: true }));
    await world.project();
    expect(await defaults()).toEqual(['1', '2']);
    await world.given(reply(3, { isDefault: true }), reply(4, {}));
    await world.project();
    expect(await defaults()).toEqual(['2', '3']);
  });

  it('are replaced as a whole, and deleted', async () => {
    const changed = reply(4, { isDefault: true, title: 'neu' });
    if (changed.type !== 'ReplyAdded') throw new TypeError();
    await world.given(
      { ...changed, type: 'ReplyUpdated' },
      { type: 'ReplyDeleted', data: { rid: ReplyId.parse(1), uid: uid(1) } },
    );
    await world.project();
    expect(await world.query('select rid, title from read.replies order by rid')).toEqual([
      { rid: '2', title: 't2' },
      { rid: '3', title: 't3' },
      { rid: '4', title: 'neu' },
    ]);
    expect(await defaults()).toEqual(['2', '4']);
  });
});

describe('settings', () => {
  it('are the defaults except for what was set, and the public ones are pushed to everyone', async () => {
    const before = await world.given({
      type: 'SettingsChanged',
      data: { changes: { voice: 'off', revoke_seconds: 60, dirty_words: 'x' } },
    });
    await world.given({ type: 'SettingsChanged', data: { changes: { ws_address: 'wss://a/ws' } } });
    await world.project();
    const rows = await world.query<{ name: string; value: string }>('select name, value from read.settings');
    expect(settingsOf(rows)).toEqual({
      ...defaultSettings,
      voice: 'off',
      revoke_seconds: 60,
      dirty_words: 'x',
      ws_address: 'wss://a/ws',
    });
    const [push] = await world.pushes(before);
    expect(push).toMatchObject({
      channel: 'global',
      event: 'settingChange',
      data: { id: '2', voice: 'off', ws_address: 'wss://a:443/ws', app_name: '泡泡IM' },
    });
    expect(Object.keys(push?.data ?? {})).not.toContain('dirty_words');
    expect(Object.keys(push?.data ?? {})).not.toContain('revoke_seconds');
  });
});
