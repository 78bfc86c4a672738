import type { Uid } from '../../../contracts/ids.ts';
import { ChannelData, type Subscribe, sentObject } from '../../../contracts/push/protocol.ts';
import { type App, channelText, verifyAuth } from '../../app-keys/signature.ts';
import { type Channel, chatOf, uidOf } from '../subscriptions/channel.ts';
import type { SubscriptionUser } from '../subscriptions/subscription.ts';

/** The socket that asks for a subscription. */
export interface AskingSocket {
  readonly id: string;
  readonly userId: string | undefined;
}

export interface Allowed {
  readonly allowed: true;
  readonly user: SubscriptionUser | undefined;
  /** The person, if the channel is a person's, a group's or one of two. */
  readonly uid: Uid | undefined;
  /** The hash of the token for which the subscription was signed. */
  readonly tokenHash: string | undefined;
  /** The position in the signed `channel_data`, from which the subscription resumes. */
  readonly since: string | undefined;
}

export type Authorization = Allowed | { readonly allowed: false; readonly reason: string };

type Signed = ChannelData | 'nothing' | 'unreadable';

/**
 * Decides by the signature and the socket's user whether the client may subscribe to the channel, and as whom.
 * Membership in a group and the right of two to chat are not in it: they are judged later, also if the signature is
 * valid.
 */
export function authorize(
  app: App,
  asking: AskingSocket,
  channel: Channel,
  request: Subscribe,
): Authorization {
  const data = readData(request.channel_data);
  if (data === 'unreadable') return refused('channel_data is no JSON object');
  const signed = isSigned(app, asking.id, channel.name, request);
  if (signed === 'invalid') return refused('the signature is not right');
  if (signed === 'no' && (channel.name.startsWith('private-') || channel.name.startsWith('presence-'))) {
    return refused('the channel needs a signature');
  }
  return judge(channel, asking, signed === 'yes' && data !== 'nothing' ? data : undefined);
}

function judge(channel: Channel, asking: AskingSocket, data: ChannelData | undefined): Authorization {
  const userId = data?.user_id ?? asking.userId;
  const info = data?.user_info === undefined ? undefined : JSON.stringify(data.user_info);
  const user = userId === undefined ? undefined : { userId, info };
  const { session: tokenHash, since } = data ?? {};
  switch (channel.kind) {
    case 'announcements':
    case 'user':
    case 'group':
    case 'group presence':
    case 'chat':
    case 'chat presence': {
      const uid = uidOf(userId);
      if (uid === undefined)
        return refused('who subscribes is not known: give a token, sign in or have it signed');
      if (asking.userId !== undefined && asking.userId !== userId) {
        return refused('it was signed for another user than the one of this connection');
      }
      if (channel.kind === 'user' && channel.uid !== uid) return refused("it is another user's channel");
      if ('uids' in channel && chatOf(channel, uid) === undefined)
        return refused('it is the chat of two others');
      return { allowed: true, user, uid, tokenHash, since };
    }
    case 'presence':
      if (user === undefined) return refused('channel_data lacks user_id');
      return { allowed: true, user, uid: undefined, tokenHash, since };
    default:
      return { allowed: true, user, uid: undefined, tokenHash, since };
  }
}

function readData(value: unknown): Signed {
  if (value === undefined || value === null) return 'nothing';
  return ChannelData.safeParse(sentObject(value)).data ?? 'unreadable';
}

function isSigned(app: App, socketId: string, channel: string, request: Subscribe): 'yes' | 'no' | 'invalid' {
  if (request.auth === undefined || request.auth === null || request.auth === '') return 'no';
  const data = typeof request.channel_data === 'string' ? request.channel_data : undefined;
  return verifyAuth(app, channelText(socketId, channel, data), request.auth) ? 'yes' : 'invalid';
}

function refused(reason: string): Authorization {
  return { allowed: false, reason };
}
