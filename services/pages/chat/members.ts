import type { Data } from '../shared/calls.ts';
import { api } from './session.ts';

export interface Member {
  readonly uid: number;
  readonly avatar: string;
  readonly nickname: string;
  readonly name: string;
  readonly index: number;
}

/** Members of one answer. */
export const membersOfPage = 100;

const isMember = (value: Data<'/group/members'>[string]): value is Member => typeof value.index === 'number';

/** Members in the order in which they joined. @param after the last member of the page before */
export async function membersOf(gid: number, after?: Member): Promise<Member[]> {
  const index = after === undefined ? 0 : after.index + 1;
  const page = await api.call('/group/members', { gid, limit: membersOfPage, index });
  return Object.values(page)
    .filter(isMember)
    .sort((one, other) => one.index - other.index);
}
