import pLimit from 'p-limit';
import type { Data } from '../shared/calls.ts';
import { api } from './session.ts';

export interface Member {
  readonly uid: number;
  readonly avatar: string;
  readonly nickname: string;
  readonly name: string;
  readonly index: number;
}

/** Members of one page of the list. */
export const membersOfPage = 32;
/** Members of one answer, at most. */
const maxMembers = 500;
/** Calls that ask about one member each, at the same moment. */
const maxCalls = 4;

const isMember = (value: Data<'/group/members'>[string]): value is Member => typeof value.index === 'number';

/** Members in the order in which they joined. @param after the last member of the page before */
export async function membersOf(gid: number, after?: Member, limit = membersOfPage): Promise<Member[]> {
  const index = after === undefined ? 0 : after.index + 1;
  const page = await api.call('/group/members', { gid, limit, index });
  return Object.values(page)
    .filter(isMember)
    .sort((one, other) => one.index - other.index);
}

/** Every member, by as few calls as the API allows. */
export async function allMembersOf(gid: number): Promise<Member[]> {
  const all: Member[] = [];
  for (;;) {
    const page = await membersOf(gid, all.at(-1), maxMembers);
    all.push(...page);
    if (page.length < maxMembers) return all;
  }
}

/** Whether a person manages a group; its owner does. */
export async function isManager(gid: number, uid: number): Promise<boolean> {
  return (await api.call('/group/ismanager', { gid, uid })).is_manager === 1;
}

/** Who of some members manages the group. The API has a call for each, so this is for the members on the screen. */
export async function managersAmong(gid: number, members: readonly Member[]): Promise<number[]> {
  const limit = pLimit(maxCalls);
  const answers = await Promise.all(
    members.map(({ uid }) => limit(async () => ((await isManager(gid, uid)) ? [uid] : []))),
  );
  return answers.flat();
}
