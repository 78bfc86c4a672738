import type { FastifyInstance } from 'fastify';
import { Refusal } from '../../contracts/codes.ts';
import * as reply from '../../contracts/http/reply.ts';
import { ReplyId, type Uid } from '../../contracts/ids.ts';
import { execute } from '../commands/execute.ts';
import { addReply, deleteReply, replyStream, updateReply } from '../domain/reply.ts';
import { mustExist, userStream } from '../domain/user.ts';
import { findReplies } from '../queries/replies.ts';
import type { Application } from './application.ts';
import { serve, shownAt } from './route.ts';

/** The customer-service replies of members (docs/behaviour.md, Messages). */
export function replyRoutes(server: FastifyInstance, application: Application): void {
  const { store, ids, database } = application;

  /** @throws Refusal illegal for who is no member (会员) */
  const member = async (uid: Uid) => {
    if (!mustExist((await store.load(userStream(uid))).state).isMember) {
      throw new Refusal('illegal', '只有会员可以使用回复消息功能');
    }
    return uid;
  };

  serve(server, application, reply.replyGet, async ({ me }) => ({
    data: await findReplies(database, await member(me())),
  }));

  serve(server, application, reply.replyAdd, async ({ parameters, me, context }) => {
    const { type, title, content, weights = 0, is_default: isDefault = false } = parameters;
    const uid = await member(me());
    const rid = await ids.nextReplyId();
    const added = { rid, uid, type, title, content, weights, isDefault };
    const { position } = await execute(application, replyStream(uid), context, (state) =>
      addReply(state, added),
    );
    return shownAt(position);
  });

  serve(server, application, reply.replyUpdate, async ({ parameters, me, context }) => {
    const { rid, type, title, content, weights, is_default: isDefault } = parameters;
    const uid = await member(me());
    const { position } = await execute(application, replyStream(uid), context, (state) =>
      updateReply(state, ReplyId.parse(rid), { type, title, content, weights, isDefault }),
    );
    return shownAt(position);
  });

  serve(server, application, reply.replyDelete, async ({ parameters: { rid }, me, context }) => {
    const uid = await member(me());
    const { position } = await execute(application, replyStream(uid), context, (state) =>
      deleteReply(state, ReplyId.parse(rid)),
    );
    return shownAt(position);
  });
}
