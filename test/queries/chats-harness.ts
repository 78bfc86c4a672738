import { afterAll, beforeAll } from 'vitest';
import type { Chat } from '../../contracts/chat.ts';
import type { Mid, Uid } from '../../contracts/ids.ts';
import { changeChat } from '../../services/commands/change-chat.ts';
import { execute } from '../../services/commands/execute.ts';
import { groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import * as groupMembers from '../../services/domain/group-members.ts';
import { findChats } from '../../services/queries/chats.ts';
import type { ListPage } from '../../services/queries/list-page.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { gid } from '../support/events.ts';

export let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

export const person = (name: string) => register(running.application, name);
export const friend = (id: Uid): Chat => ({ type: 'friend', id });

/** Sends a message, and waits until the read models have it. */
export async function say(from: Uid, to: Chat, content: string, quoteMid?: Mid): Promise<Mid> {
  const { mid, position } = await running.application.sender.send(
    { from, to, content, quoteMid },
    context(from),
  );
  await running.shown(position);
  return mid;
}

/** Changes somebody's chat, and waits until the read models have it. */
export async function change(who: Uid, chat: Chat, changes: Parameters<typeof changeChat>[3]): Promise<void> {
  await changeChat(running.application, who, chat, changes, context(who));
  await running.shown();
}

let lastGid = 500;
export async function groupOf(owner: Uid, ...members: Uid[]) {
  const id = gid(++lastGid);
  const mid = await running.application.ids.nextMid();
  await execute(running.application, groupStream(id), context(owner), (state) =>
    groups.createGroup(state, { gid: id, owner, members, mid, name: '群' }),
  );
  await running.shown();
  return id;
}

export async function join(group: Parameters<typeof groupStream>[0], who: Uid): Promise<void> {
  const mid = await running.application.ids.nextMid();
  await execute(running.application, groupStream(group), context(who), (state) =>
    groupMembers.joinGroup(state, { uid: who, mid }),
  );
  await running.shown();
}

export const all: ListPage = { limit: 1_000, start: 0 };
export const chatsIn = (who: Uid, page = all) => findChats(running.application.database, who, page);
