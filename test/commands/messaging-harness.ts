import { afterAll, beforeAll } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { SettingChanges } from '../../contracts/settings.ts';
import type { Application } from '../../services/api/application.ts';
import { execute } from '../../services/commands/execute.ts';
import type { SendMessage, SentMessage } from '../../services/commands/send-message.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import { addReply, replyStream } from '../../services/domain/reply.ts';
import { changeSettings, settingStream } from '../../services/domain/setting.ts';
import { changeAccount, userStream } from '../../services/domain/user.ts';
import { readPage } from '../../services/queries/history.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { between, gid } from '../support/events.ts';

export const friend = (id: Uid): Chat => ({ type: 'friend', id });
export const inThe = (id: Gid): Chat => ({ type: 'group', id });

/** Starts an application for all tests of a file, and what they do with it. */
export function useMessaging() {
  let running: RunningApplication;
  let application: Application;

  beforeAll(async () => {
    running = await startApplication();
    application = running.application;
  });

  afterAll(() => running.stop());

  function send(
    from: Uid,
    to: Chat,
    content: string,
    more: Partial<SendMessage> = {},
    by: Application = application,
  ): Promise<SentMessage> {
    return by.sender.send({ from, to, content, ...more }, context(from));
  }

  const twoPeople = () => Promise.all([register(application, '甲'), register(application, '乙')]);

  let lastGid = 100;

  async function groupOf(owner: Uid, ...members: Uid[]): Promise<Gid> {
    const id = gid(++lastGid);
    const mid = await application.ids.nextMid();
    await execute(application, groupStream(id), context(owner), (state) =>
      groups.createGroup(state, { gid: id, owner, members, mid }),
    );
    return id;
  }

  async function account(who: Uid, changes: Parameters<typeof changeAccount>[1]): Promise<void> {
    await execute(application, userStream(who), context('server'), (state) => changeAccount(state, changes));
  }

  async function change(
    id: Gid,
    decide: (state: GroupState) => ReturnType<typeof groups.dissolveGroup>,
  ): Promise<void> {
    await execute(application, groupStream(id), context('server'), decide);
  }

  /** Changes settings, does something, and changes them back. */
  async function whileSet(
    changes: SettingChanges,
    back: SettingChanges,
    act: () => Promise<void>,
  ): Promise<void> {
    const set = (to: SettingChanges) =>
      execute(application, settingStream, context('server'), (state) => changeSettings(state, to));
    await set(changes);
    try {
      await act();
    } finally {
      await set(back);
    }
  }

  /** The messages between two people, oldest first, as `sender: content`. */
  async function said(one: Uid, other: Uid): Promise<string[]> {
    await running.shown();
    const place = { reader: one, conversation: between(one, other), after: 0, before: null, limit: 100 };
    const page = await readPage(application.database, place);
    return page.map(({ message }) => `${message.from}: ${message.content}`);
  }

  /** The last messages between two people. */
  async function saidLast(one: Uid, other: Uid, count: number): Promise<string[]> {
    await running.shown();
    const rows = await application.database
      .selectFrom('read.messages')
      .select(['sender', 'content'])
      .where('conversation', '=', between(one, other))
      .orderBy('sequence', 'desc')
      .limit(count)
      .execute();
    return rows.reverse().map(({ sender, content }) => `${sender}: ${content}`);
  }

  async function replies(member: Uid): Promise<void> {
    await account(member, { isMember: true });
    const plain = { uid: member, weights: 0, isDefault: false };
    for (const reply of [
      { ...plain, type: 1 as const, title: '', content: '欢迎', isDefault: true },
      { ...plain, type: 3 as const, title: '几点', content: '九点' },
    ]) {
      const rid = await application.ids.nextReplyId();
      await execute(application, replyStream(member), context(member), (state) =>
        addReply(state, { ...reply, rid }),
      );
    }
  }

  const member = async () => {
    const service = await register(application, '客服');
    await replies(service);
    return service;
  };

  return {
    ...{ send, twoPeople, groupOf, account, change, whileSet, said, saidLast, member },
    get running() {
      return running;
    },
    get application() {
      return application;
    },
  };
}
