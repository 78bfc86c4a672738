import type { MemberList } from './presence-channel.ts';

/**
 * The data of `subscription_succeeded` on a presence channel: the `count` of all members, and as many ids and infos
 * as `maxBytes` hold, those of the subscriber first. `member_removed` is sent for the others too; a server reads all
 * of them by pages at `/apps/{id}/channels/{channel}/users`.
 */
export function presencePayload(list: MemberList, ownId: string | undefined, maxBytes: number): string {
  const ids: string[] = [];
  const infos: string[] = [];
  let bytes = 0;
  const add = (userId: string, info: string | null): boolean => {
    const id = JSON.stringify(userId);
    const entry = `${id}:${info ?? 'null'}`;
    bytes += Buffer.byteLength(id) + Buffer.byteLength(entry) + 2;
    if (bytes > maxBytes) return false;
    ids.push(id);
    infos.push(entry);
    return true;
  };
  if (ownId !== undefined) add(ownId, list.get(ownId) ?? null);
  for (const [userId, info] of list) if (userId !== ownId && !add(userId, info)) break;
  return `{"presence":{"count":${list.size},"ids":[${ids.join(',')}],"hash":{${infos.join(',')}}}}`;
}
