import { describe, expect, it } from 'vitest';
import type { UserEvent } from '../../contracts/events/user.ts';
import { NumberId } from '../../contracts/ids.ts';
import { changeAccount, mustBeActive, mustExist, register, user } from '../../services/domain/user.ts';
import { uid } from '../support/events.ts';
import { given } from '../support/specification.ts';

const me = uid(9);
const registration = {
  uid: me,
  username: 'tom',
  nickname: '猫猫',
  avatar: '',
  sign: '大懒猫',
  phone: null,
  numberId: NumberId.parse(7_269_454),
  parent: null,
};
const registered: UserEvent = { type: 'UserRegistered', data: registration };
const disabled: UserEvent = { type: 'AccountDisabled', data: { uid: me } };
const granted: UserEvent = { type: 'MembershipGranted', data: { uid: me } };

describe('registering', () => {
  it('happens once', () => {
    given(user)
      .when((state) => register(state, registration))
      .gives(registered);
  });
});

describe('changing a profile', () => {
  it('records only what differs from before', () => {
    given(user, registered)
      .when((state) => changeAccount(state, { nickname: '汤姆', sign: '大懒猫' }))
      .gives({ type: 'ProfileChanged', data: { uid: me, nickname: '汤姆' } });
  });

  it('may empty the sign', () => {
    given(user, registered)
      .when((state) => changeAccount(state, { sign: '' }))
      .gives({ type: 'ProfileChanged', data: { uid: me, sign: '' } });
  });

  it('records nothing if nothing is given', () => {
    given(user, registered)
      .when((state) => changeAccount(state, {}))
      .givesNothing();
  });

  it('needs someone of that uid', () => {
    given(user)
      .when((state) => changeAccount(state, { nickname: '汤姆' }))
      .refuses('noUser');
  });
});

describe('what the server changes', () => {
  it('disables and enables an account', () => {
    given(user, registered)
      .when((state) => changeAccount(state, { disabled: true }))
      .gives(disabled);
    given(user, registered, disabled)
      .when((state) => changeAccount(state, { disabled: false }))
      .gives({ type: 'AccountEnabled', data: { uid: me } });
  });

  it('grants and revokes membership', () => {
    given(user, registered)
      .when((state) => changeAccount(state, { isMember: true }))
      .gives(granted);
    given(user, registered, granted)
      .when((state) => changeAccount(state, { isMember: false }))
      .gives({ type: 'MembershipRevoked', data: { uid: me } });
  });

  it('changes all at once in one decision', () => {
    given(user, registered)
      .when((state) => changeAccount(state, { nickname: '汤姆', disabled: true, isMember: true }))
      .gives({ type: 'ProfileChanged', data: { uid: me, nickname: '汤姆' } }, disabled, granted);
  });
});

describe('who may act', () => {
  const state = (...events: UserEvent[]) =>
    events.reduce((before, event) => user.evolve(before, event, 0), user.initial());

  it('is who exists', () => {
    expect(mustBeActive(state(registered))).toMatchObject({ uid: me, nickname: '猫猫' });
    expect(() => mustBeActive(state())).toThrow(expect.objectContaining({ reason: 'noUser' }));
  });

  it('is not who is disabled, though they exist', () => {
    expect(() => mustBeActive(state(registered, disabled))).toThrow(
      expect.objectContaining({ reason: 'disabled' }),
    );
    expect(mustExist(state(registered, disabled))).toMatchObject({ uid: me });
  });

  it('does not exist without a registration, despite other events', () => {
    expect(state(disabled, granted)).toBeNull();
  });

  it('is the first who registered', () => {
    const second: UserEvent = { type: 'UserRegistered', data: { ...registration, nickname: '乙' } };
    expect(state(registered, second)).toMatchObject({ nickname: '猫猫' });
  });
});
