import { Refusal } from '../../contracts/codes.ts';
import { Gid, Uid } from '../../contracts/ids.ts';
import type { Chat } from '../domain/chat.ts';

/**
 * A chat as a request names it: `type`, and the other's uid or the gid, under the name of its parameter.
 * @throws Refusal illegal for a chat with oneself
 */
export function chatOf(me: Uid, type: 'friend' | 'group', id: number, name = 'id'): Chat {
  if (type === 'group') return { type, id: Gid.parse(id) };
  if (id === me) throw new Refusal('illegal', `参数${name}不能是自己`);
  return { type, id: Uid.parse(id) };
}
