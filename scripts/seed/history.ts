import { changeSettings } from '../../services/domain/setting.ts';
import { changeSign, changeSomeone, registerSomeone } from './account-acts.ts';
import type { HistoryAppend } from './decided-events.ts';
import { changeFriendship } from './friend-acts.ts';
import { changeGroup } from './group-acts.ts';
import { changeInbox } from './inbox-acts.ts';
import { Story } from './story.ts';
import { talk } from './talk.ts';

/** How many events there are for each person, and how many people at most, who all are kept in memory. */
const eventsForEach = 200;
const maxPeople = 20_000;

/** The part of the people who are there from the beginning; the others come as time passes. */
const firstPeople = 0.2;

/** When strangers must be asked before they are put into a group: between these parts of the history. */
const consentFrom = 0.5;
const consentUntil = 0.7;

/** What happens next, as often as the weights say. */
const acts = { talk: 60, friends: 20, groups: 10, inbox: 6, accounts: 3 };

/** One thing that happens makes fewer events than this: with fewer left, only single ones do. */
const maxEventsOfAct = 10;

/**
 * A plausible history of `events` events: people register, become friends, found groups, talk over months, read,
 * mute, revoke. The same `events` and `seed` give the same appends, with the same ids and times; each is decided
 * by the domain. Memory grows with the number of people, not of events.
 */
export function* history({
  events,
  seed,
}: {
  readonly events: number;
  readonly seed: string;
}): Generator<HistoryAppend> {
  const story = new Story(events, seed);
  while (story.decided.left > 0) {
    goOn(story, events);
    yield* story.decided.take();
  }
}

function goOn(story: Story, events: number): void {
  const { decided, random } = story;
  if (decided.fraction === 0) {
    story.changeSettings(decided.request('server'), (settings) =>
      changeSettings(settings, { app_name: '泡泡', dirty_words: '傻瓜,笨蛋' }),
    );
    return;
  }
  const people = Math.min(maxPeople, Math.max(5, Math.ceil(events / eventsForEach)));
  const come = people * (firstPeople + (1 - firstPeople) * decided.fraction);
  if (decided.left < maxEventsOfAct) {
    changeSign(story);
    return;
  }
  if (story.people.length < come) {
    registerSomeone(story);
    return;
  }
  const { group_consent } = story.settings;
  const asks = decided.fraction > consentFrom && decided.fraction < consentUntil ? 'on' : 'off';
  if (group_consent !== asks) {
    story.changeSettings(decided.request('server'), (settings) =>
      changeSettings(settings, { group_consent: asks }),
    );
    return;
  }
  switch (random.weighted(acts)) {
    case 'talk':
      talk(story);
      return;
    case 'friends':
      changeFriendship(story);
      return;
    case 'groups':
      changeGroup(story);
      return;
    case 'inbox':
      changeInbox(story);
      return;
    case 'accounts':
      changeSomeone(story);
      return;
  }
}
