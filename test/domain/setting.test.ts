import { describe, expect, it } from 'vitest';
import type { SettingEvent } from '../../contracts/events/setting.ts';
import { defaultSettings, settingsOf } from '../../contracts/settings.ts';
import { fold } from '../../services/domain/aggregate.ts';
import { changeSettings, setting } from '../../services/domain/setting.ts';
import { given } from '../support/specification.ts';

const changed = (changes: SettingEvent['data']['changes']): SettingEvent => ({
  type: 'SettingsChanged',
  data: { changes },
});

describe('settings', () => {
  it('begin as the API document shows them', () => {
    expect(fold(setting, [])).toEqual(defaultSettings);
    expect(defaultSettings).toMatchObject({
      voice: 'on',
      audio: 'off',
      video: 'off',
      stranger_chat: 'on',
      app_name: '泡泡IM',
      register_captcha: 'off',
      revoke_seconds: 120,
      token_days: 30,
    });
  });

  it('change one by one, the others staying', () => {
    given(setting)
      .when((state) => changeSettings(state, { private_chat: 'off' }))
      .gives(changed({ private_chat: 'off' }));
    expect(fold(setting, [changed({ private_chat: 'off' }), changed({ revoke_seconds: 60 })])).toEqual({
      ...defaultSettings,
      private_chat: 'off',
      revoke_seconds: 60,
    });
  });

  it('record only what differs from before', () => {
    given(setting, changed({ app_name: '甲' }))
      .when((state) => changeSettings(state, { app_name: '甲', voice: 'off', video: undefined }))
      .gives(changed({ voice: 'off' }));
  });

  it('record nothing if nothing changes', () => {
    given(setting)
      .when((state) => changeSettings(state, { voice: 'on', dirty_words: '' }))
      .givesNothing();
  });

  it('can be set back to nothing', () => {
    given(setting, changed({ dirty_words: '坏' }))
      .when((state) => changeSettings(state, { dirty_words: '' }))
      .gives(changed({ dirty_words: '' }));
  });

  it('keep what another version set, if this one does not know it or would refuse it', () => {
    const changes = { revoke_seconds: 0, voice: 'loud', hologram: 'on', private_chat: 'off', video: 7 };
    expect(fold(setting, [changed({ revoke_seconds: 60 }), changed(changes)])).toEqual({
      ...defaultSettings,
      revoke_seconds: 60,
      private_chat: 'off',
    });
    const rows = Object.entries(changes).map(([name, value]) => ({ name, value: String(value) }));
    expect(settingsOf(rows)).toEqual({ ...defaultSettings, private_chat: 'off' });
  });
});
