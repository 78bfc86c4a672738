import type { Chat } from '../../contracts/chat.ts';
import { Refusal } from '../../contracts/codes.ts';
import { Gid, Uid } from '../../contracts/ids.ts';

/**
 * A chat as a request names it: its `type`, and the other person's uid or the gid.
 * @param name the parameter that holds the id
 * @throws Refusal illegal for a chat with oneself
 */
export function chatOf(me: Uid, type: 'friend' | 'group', id: number, name = 'id'): Chat {
  if (type === 'group') return { type, id: Gid.parse(id) };
  const other = Uid.parse(id);
  mustBeOther(me, other, name);
  return { type, id: other };
}

/** @param name the parameter that holds the other's uid. @throws Refusal illegal for oneself */
export function mustBeOther(me: Uid, other: Uid, name: string): void {
  if (other === me) throw new Refusal('illegal', `参数${name}不能是自己`);
}
