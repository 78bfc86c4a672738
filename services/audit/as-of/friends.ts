import { Uid } from '../../../contracts/ids.ts';
import { friendshipStream } from '../../domain/friendship.ts';
import { userStream } from '../../domain/user.ts';
import { type StreamName, startOfLog } from '../../log/log.ts';
import { FoldedStream } from '../folded-stream.ts';
import type { IndexOfLog } from '../index/search.ts';
import { mergedStreams } from '../merged-streams.ts';
import { type Moment, recordsUntil } from '../moment.ts';
import { NotFound } from '../not-found.ts';
import type { ReadableLog } from '../readable-log.ts';

/** A friend at a moment. */
export interface FriendThen {
  readonly uid: Uid;
  /** What they are called by the one whose friend they are; empty: by their nickname. */
  readonly remark: string;
}

/**
 * The friends of a person at a moment, by their uids.
 * @param friendships the streams of the person's friendships, from `friendshipsOf` or an index
 * @throws NotFound; LogFailure
 */
export async function friendsThen(
  log: ReadableLog,
  uid: Uid,
  friendships: readonly StreamName[],
  moment: Moment,
): Promise<FriendThen[]> {
  const folds = new Map(
    friendships.flatMap((name) => {
      const other = otherIn(name, uid);
      if (other === undefined) return [];
      return [[other, new FoldedStream(friendshipStream(uid, other), log.remembersIds)] as const];
    }),
  );
  const user = new FoldedStream(userStream(uid), log.remembersIds);
  const byName = new Map(folds.values().map((fold) => [fold.name, fold]));
  for await (const event of mergedStreams(log, [user.name, ...byName.keys()], moment)) {
    user.apply(event);
    byName.get(event.stream)?.apply(event);
  }
  if (!user.state) throw new NotFound(`person ${uid}`, moment);
  return [...folds]
    .filter(([, { state }]) => state.friends)
    .map(([other, { state }]) => ({ uid: other, remark: state.remarks.get(uid) ?? '' }))
    .sort((one, other) => one.uid - other.uid);
}

/**
 * The streams of a person's friendships up to a moment: found in the index and, beyond its end, in the log. Without an
 * index all friendships of the log are read.
 * @throws LogFailure, what the database throws
 */
export async function friendshipsOf(
  log: ReadableLog,
  index: IndexOfLog | undefined,
  uid: Uid,
  moment: Moment,
): Promise<StreamName[]> {
  const found = new Set<StreamName>();
  if (index) {
    const { rows } = await index.queries.query<{ stream: StreamName }>(
      `select distinct e.stream from audit.people p join audit.events e using (number)
        where p.uid = $1 and e.stream like 'friendship-%'`,
      [uid],
    );
    for (const { stream } of rows) found.add(stream);
  }
  const after = index?.coverage.checkpoint ?? startOfLog;
  const records = log.readAll({ after, prefixes: ['friendship-'] });
  for await (const record of recordsUntil(records, moment)) {
    if (otherIn(record.stream, uid) !== undefined) found.add(record.stream);
  }
  return [...found];
}

/** The other person of a friendship's stream; undefined if `uid` is neither of the two. */
function otherIn(stream: StreamName, uid: Uid): Uid | undefined {
  const [, one, other] = /^friendship-(\d+)-(\d+)$/.exec(stream) ?? [];
  if (Number(one) === uid) return Uid.safeParse(Number(other)).data;
  return Number(other) === uid ? Uid.safeParse(Number(one)).data : undefined;
}
