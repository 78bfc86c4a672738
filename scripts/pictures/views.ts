import type { Page } from 'playwright-core';
import type { Demonstration } from './demonstration.ts';
import { goTo, settled } from './pages.ts';

/** A view of a page, as somebody comes to it. */
export interface View {
  readonly name: string;
  open(page: Page, demonstration: Demonstration): Promise<void>;
}

const at = (name: string, hash: string): View => ({ name, open: (page) => goTo(page, hash) });

/** The address of a group's chat, which the list of chats names. */
async function addressOfGroup(page: Page, name: string): Promise<string> {
  const href = await page.locator('.list-item', { hasText: name }).first().getAttribute('href');
  return href ?? '';
}

const ofGroup = (name: string, group: string, rest = ''): View => ({
  name,
  async open(page) {
    await goTo(page, '/');
    await goTo(page, (await addressOfGroup(page, group)) + rest);
  },
});

const withJerry = (name: string, rest = ''): View => ({
  name,
  open: (page, { uids }) => goTo(page, `/friend/${uids.jerry}${rest}`),
});

const click = async (page: Page, selector: string) => {
  await page.locator(selector).first().click();
  await settled(page);
};

const contacts = (name: string): View => ({
  name,
  async open(page) {
    await goTo(page, '/');
    await click(page, '.tabs button:nth-of-type(2)');
  },
});

/** The end of the view that was opened before, with everything that it folds up. */
const unfolded = (name: string): View => ({
  name,
  async open(page) {
    for (const fold of await page.locator('main summary').all()) await fold.click();
    await settled(page);
    await page.locator('.panel-body').evaluate((body) => body.scrollTo(0, body.scrollHeight));
  },
});

/** What a stranger sees of the chat page. */
export const strangerViews: readonly View[] = [
  { name: 'sign-in', open: (page) => settled(page) },
  { name: 'register', open: (page) => click(page, '.entrance-choices button') },
  {
    name: 'forgot',
    async open(page) {
      await click(page, '.entrance-choices button');
      await click(page, '.entrance-choices button:nth-of-type(2)');
    },
  },
];

/** What Tom sees of it. */
export const chatViews: readonly View[] = [
  at('chats', '/'),
  contacts('contacts'),
  withJerry('friend'),
  {
    name: 'emoji-and-menu',
    async open(page, { uids }) {
      await goTo(page, `/friend/${uids.jerry}`);
      await click(page, '.tools .tool');
      await page.locator('.message .menu-button').last().hover();
      await click(page, '.message:last-of-type .menu-button');
    },
  },
  withJerry('about-friend', '/about'),
  {
    name: 'group',
    async open(page) {
      await page.reload();
      await page.locator('.sidebar').waitFor({ state: 'attached' });
      await goTo(page, await addressOfGroup(page, '泡泡项目组'));
    },
  },
  ofGroup('hike', '周末爬山'),
  {
    name: 'mention',
    async open(page) {
      await page.locator('.write textarea').pressSequentially('@');
      await settled(page);
    },
  },
  ofGroup('about-group', '泡泡项目组', '/about'),
  unfolded('about-group-end'),
  at('me', '/me'),
  unfolded('me-end'),
  at('add', '/add'),
  at('new-group', '/new-group'),
  at('applications', '/applications'),
  at('announcements', '/announcements'),
  at('join', '/join/502139874/token'),
  {
    name: 'unsent',
    async open(page, { uids }) {
      await goTo(page, `/friend/${uids.jerry}`);
      await page.context().setOffline(true);
      await page.locator('.write textarea').fill('信号不好');
      await page.keyboard.press('Enter');
      await page.locator('.message .error').waitFor();
    },
  },
];

/** What a person sees who has nothing yet. */
export const emptyViews: readonly View[] = [
  at('no-chats', '/'),
  contacts('no-contacts'),
  at('no-applications', '/applications'),
];

/** Opens the first entry of a list, or what else a click opens. */
const opened = (name: string, hash: string, entry = 'table .plain'): View => ({
  name,
  async open(page) {
    await goTo(page, hash);
    await click(page, entry);
  },
});

/** The end of the view that was opened before. */
const endOf = (name: string): View => ({
  name,
  open: (page) => page.evaluate('scrollTo(0, document.documentElement.scrollHeight)'),
});

export const consoleViews: readonly View[] = [
  at('overview', '/overview'),
  endOf('overview-end'),
  at('maintenance', '/maintenance'),
  endOf('maintenance-end'),
  opened('proof', '/proof', 'main button.primary'),
  at('events', '/events'),
  opened('filters', '/events', 'details.wide summary'),
  opened('event', '/events?type=MemberMuted'),
  endOf('event-end'),
  {
    name: 'stream',
    async open(page) {
      await goTo(page, '/groups');
      await click(page, 'table .plain');
      await click(page, 'main a[href^="#/stream"]');
    },
  },
  {
    name: 'explain',
    async open(page) {
      await goTo(page, '/groups');
      await click(page, 'table .plain');
      await page.locator('main a[href^="#/explain"]').last().click();
      await settled(page);
    },
  },
  {
    name: 'moment',
    open: (page, { uids }) =>
      goTo(page, `/moment?query=user ${uids.tom}&at=${Math.floor(Date.now() / 1000)}`),
  },
  at('people', '/people'),
  opened('person', '/people?username=tom'),
  endOf('person-end'),
  opened('new-person', '/people', 'details.fold summary'),
  at('groups', '/groups'),
  opened('group', '/groups'),
  at('messages', '/messages'),
  opened('message', '/messages'),
  at('announcements', '/announcements'),
  at('uploads', '/uploads'),
  at('sms', '/sms'),
  at('settings', '/settings'),
  at('nothing-found', '/people?username=nobody'),
];
