import type { MemberList } from './presence-channel.ts';

/**
 * The data of `subscription_succeeded` on a presence channel: `count` of all its members; of their ids and
 * infos as many as `most` bytes hold, the hearer's own before all others. Who is left out is told of like
 * anyone else when they leave; a server reads all by pages at `/apps/{id}/channels/{channel}/users`.
 */
export function presenceData(list: MemberList, own: string | undefined, most: number): string {
  const ids: string[] = [];
  const infos: string[] = [];
  let bytes = 0;
  const takes = (userId: string, info: string | null): boolean => {
    const id = JSON.stringify(userId);
    const entry = `${id}:${info ?? 'null'}`;
    bytes += Buffer.byteLength(id) + Buffer.byteLength(entry) + 2;
    if (bytes > most) return false;
    ids.push(id);
    infos.push(entry);
    return true;
  };
  if (own !== undefined) takes(own, list.get(own) ?? null);
  for (const [userId, info] of list) if (userId !== own && !takes(userId, info)) break;
  return `{"presence":{"count":${list.size},"ids":[${ids.join(',')}],"hash":{${infos.join(',')}}}}`;
}
