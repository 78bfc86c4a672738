import { Refusal } from '../../contracts/codes.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import { type CreatedGroups, type GroupClaim, randomGid } from '../accounts/created-groups.ts';
import type { Ids } from '../accounts/ids.ts';
import { groupStream } from '../domain/group.ts';
import { createGroup as decide } from '../domain/group-commands.ts';
import type { Invitations } from '../domain/group-invitations.ts';
import type { EventLog, Position } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import type { CommandContext } from './context.ts';
import { execute } from './execute.ts';

/** The people with whom a group may be created. */
export interface Permitted {
  readonly members: readonly Uid[];
  readonly invitations: Invitations;
}

export interface CreateGroup {
  readonly owner: Uid;
  /**
   * The first members, and the people to invite. Called only if the group does not exist yet.
   * @throws a Refusal if the group must not be created
   */
  readonly permit: () => Promise<Permitted>;
  readonly name?: string | undefined;
  readonly avatar?: string | undefined;
  /** Its number, by default a random one. It has no uniqueId beside it: a number is free once. */
  readonly gid?: Gid | undefined;
}

/** Makes creating safe to repeat: the client's own id, and a hash of what it requested under it. */
export interface Repeatable {
  readonly uniqueId?: string | undefined;
  readonly requestHash: string;
}

/** Random gids almost never collide; five collisions mean another fault. */
const maxAttempts = 5;

/**
 * Creates a group under a random gid, or one that was chosen. The same owner and uniqueId give the same group, for
 * ever. A refused request does not use up the uniqueId, so it can be corrected and sent again.
 * @throws Refusal illegal if the uniqueId was used for another request, or if the gid that was chosen is in use
 */
export async function createGroupOnce(
  parts: {
    readonly log: EventLog;
    readonly store: AggregateStore;
    readonly createdGroups: CreatedGroups;
    readonly ids: Pick<Ids, 'nextMid'>;
  },
  command: CreateGroup,
  { uniqueId, requestHash }: Repeatable,
  context: CommandContext,
): Promise<{ gid: Gid; position: Position }> {
  const { createdGroups, store } = parts;
  const { owner } = command;
  const earlier = uniqueId === undefined ? undefined : await createdGroups.findGroup(owner, uniqueId);
  if (earlier) {
    mustBeOf(earlier, requestHash);
    const { state, position } = await store.load(groupStream(earlier.gid));
    if (state?.founder === owner) return { gid: earlier.gid, position };
  }
  const { name, avatar } = command;
  const permitted = await command.permit();
  const group = { owner, name, avatar, ...permitted, mid: await parts.ids.nextMid() };
  let gid = earlier?.gid ?? command.gid ?? randomGid();
  // Its refusals must come before the uniqueId is claimed.
  decide(null, { ...group, gid });
  if (uniqueId !== undefined && !earlier) {
    const claim = await createdGroups.claimGroup(owner, uniqueId, gid, requestHash);
    mustBeOf(claim, requestHash);
    gid = claim.gid;
  }
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const chosen = gid;
    const { events, position } = await execute(parts, groupStream(chosen), context, (state) =>
      decide(state, { ...group, gid: chosen }),
    );
    if (events.length > 0) return { gid, position };
    if (command.gid !== undefined) throw new Refusal('illegal', '参数gid已被使用');
    const { state } = await store.load(groupStream(chosen));
    if (uniqueId === undefined) gid = randomGid();
    else if (state?.founder === owner) return { gid, position };
    else gid = (await createdGroups.replaceGroup(owner, uniqueId, chosen, randomGid())).gid;
  }
  throw new Refusal('notReady');
}

/** @throws Refusal illegal if the claim was made by another request */
function mustBeOf(claim: GroupClaim, requestHash: string): void {
  if (claim.requestHash !== requestHash) throw new Refusal('illegal', '参数uniqueId已用于另一个群组');
}
