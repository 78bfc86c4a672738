import type { Uid } from '../../../contracts/ids.ts';
import { ChannelData, jsonObject, type Subscribe } from '../../../contracts/push/protocol.ts';
import { type App, channelText, verifyAuth } from '../../app-keys/signature.ts';
import { type Channel, chatOf, uidOf } from '../subscriptions/channel-name.ts';
import type { Hearer } from '../subscriptions/subscription.ts';

/** What is known of the socket that asks. */
export interface Asking {
  readonly id: string;
  readonly userId: string | undefined;
}

export interface Allowed {
  readonly allowed: true;
  readonly hearer: Hearer | undefined;
  /** Who hears, where the channel is one of ours that is not for everyone. */
  readonly uid: Uid | undefined;
  /** The token for which the subscription was signed. */
  readonly session: string | undefined;
  /** The position from which it resumes, as it was named when it was signed. */
  readonly since: string | undefined;
}

export type Authorization = Allowed | { readonly allowed: false; readonly reason: string };

type Signed = ChannelData | 'nothing' | 'unreadable';

/**
 * Judges by what the client shows whether it may hear the channel, and who hears. Membership in a
 * group, and whether two may chat, are judged apart, also under a valid signature.
 */
export function authorize(app: App, asking: Asking, channel: Channel, request: Subscribe): Authorization {
  const data = readData(request.channel_data);
  if (data === 'unreadable') return refused('channel_data is no JSON object');
  const signed = isSigned(app, asking.id, channel.name, request);
  if (signed === 'wrongly') return refused('the signature is not right');
  if (signed === 'no' && (channel.name.startsWith('private-') || channel.name.startsWith('presence-'))) {
    return refused('the channel needs a signature');
  }
  return judge(channel, asking, signed === 'yes' && data !== 'nothing' ? data : undefined);
}

function judge(channel: Channel, asking: Asking, data: ChannelData | undefined): Authorization {
  const userId = data?.user_id ?? asking.userId;
  const info = data?.user_info === undefined ? undefined : JSON.stringify(data.user_info);
  const hearer = userId === undefined ? undefined : { userId, info };
  const { session, since } = data ?? {};
  switch (channel.kind) {
    case 'user':
    case 'group':
    case 'group presence':
    case 'chat':
    case 'chat presence': {
      const uid = uidOf(userId);
      if (uid === undefined)
        return refused('who hears is not known: give a token, sign in or have it signed');
      if (asking.userId !== undefined && asking.userId !== userId) {
        return refused('it was signed for another user than the one of this connection');
      }
      if (channel.kind === 'user' && channel.uid !== uid) return refused("it is another user's channel");
      if ('uids' in channel && chatOf(channel, uid) === undefined)
        return refused('it is the chat of two others');
      return { allowed: true, hearer, uid, session, since };
    }
    case 'presence':
      if (hearer === undefined) return refused('channel_data lacks user_id');
      return { allowed: true, hearer, uid: undefined, session, since };
    default:
      return { allowed: true, hearer, uid: undefined, session, since };
  }
}

function readData(value: unknown): Signed {
  if (value === undefined || value === null) return 'nothing';
  return ChannelData.safeParse(jsonObject(value)).data ?? 'unreadable';
}

function isSigned(app: App, socketId: string, channel: string, request: Subscribe): 'yes' | 'no' | 'wrongly' {
  if (request.auth === undefined || request.auth === null || request.auth === '') return 'no';
  const data = typeof request.channel_data === 'string' ? request.channel_data : undefined;
  return verifyAuth(app, channelText(socketId, channel, data), request.auth) ? 'yes' : 'wrongly';
}

function refused(reason: string): Authorization {
  return { allowed: false, reason };
}
