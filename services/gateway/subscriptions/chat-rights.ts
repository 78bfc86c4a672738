import type { Gid, Uid } from '../../../contracts/ids.ts';
import { defaultSettings } from '../../../contracts/settings.ts';
import { Batcher } from '../../postgres/batcher.ts';
import type { BigintColumn, ReadingDatabase } from '../../postgres/database.ts';

/** A person in a chat: a group (`gid`), the chat with another person (`other`), or a channel without a chat. */
export interface InChat {
  readonly uid: Uid;
  readonly gid?: Gid;
  readonly other?: Uid;
}

/** What a person may do in a chat now. */
export interface Rights {
  /** Use the chat: they belong to it, and the settings allow such chats. */
  readonly chat: boolean;
  /** Send to it: in addition, they are neither disabled nor muted. */
  readonly speak: boolean;
}

interface RightsRow {
  readonly normal: boolean | null;
  readonly role: 'owner' | 'manager' | 'member' | null;
  readonly mutedUntil: BigintColumn | null;
  readonly groupMuted: boolean | null;
  readonly otherExists: boolean;
  readonly friends: boolean;
  readonly groupChat: string | null;
  readonly privateChat: string | null;
  readonly strangerChat: string | null;
}

/** Decides by the rules of message/send, on the state of the read models. */
export class ChatRights {
  readonly #database: ReadingDatabase;
  readonly #batcher: Batcher<InChat, Rights>;

  constructor(database: ReadingDatabase) {
    this.#database = database;
    this.#batcher = new Batcher((chats) => this.#find(chats));
  }

  /** The person's rights in the chat. @throws what the database throws. */
  of(chat: InChat): Promise<Rights> {
    return this.#batcher.ask(chat);
  }

  async #find(chats: readonly InChat[]): Promise<Rights[]> {
    const { rows } = await this.#database.query<RightsRow>({
      name: 'chat rights',
      text: `select u.account_state = 'normal' as normal, m.role, m.muted_until as "mutedUntil",
               g.muted as "groupMuted", coalesce(o.account_state <> 'deleted', false) as "otherExists", f.uid is not null as friends,
               s.*
          from unnest($1::bigint[], $2::bigint[], $3::bigint[]) with ordinality as a (uid, gid, other, number)
          left join read.users u on u.uid = a.uid
          left join read.groups g on g.gid = a.gid and g.state = 'normal'
          left join read.group_members m on m.gid = g.gid and m.uid = a.uid
          left join read.users o on o.uid = a.other
          left join read.friendships f on f.uid = a.uid and f.friend = a.other
         cross join (
           select max(value) filter (where name = 'group_chat') as "groupChat",
                  max(value) filter (where name = 'private_chat') as "privateChat",
                  max(value) filter (where name = 'stranger_chat') as "strangerChat"
             from read.settings where name in ('group_chat', 'private_chat', 'stranger_chat')
         ) s
         order by a.number`,
      values: [
        chats.map(({ uid }) => uid),
        chats.map(({ gid }) => gid ?? null),
        chats.map(({ other }) => other ?? null),
      ],
    });
    const nowSeconds = Date.now() / 1000;
    return chats.map((chat, index) => rightsOf(chat, rows[index], nowSeconds));
  }
}

function rightsOf({ gid, other }: InChat, row: RightsRow | undefined, nowSeconds: number): Rights {
  if (row === undefined || row.normal === null) return { chat: false, speak: false };
  if (gid === undefined && other === undefined) return { chat: true, speak: row.normal };
  const chat = gid === undefined ? mayChat(row) : isOn(row.groupChat, 'group_chat') && row.role !== null;
  const muted =
    gid !== undefined &&
    (Number(row.mutedUntil ?? 0) > nowSeconds || (row.groupMuted === true && row.role === 'member'));
  return { chat, speak: chat && row.normal && !muted };
}

/** Whether two people may chat. */
function mayChat({ otherExists, friends, privateChat, strangerChat }: RightsRow): boolean {
  return otherExists && isOn(privateChat, 'private_chat') && (friends || isOn(strangerChat, 'stranger_chat'));
}

function isOn(value: string | null, name: 'group_chat' | 'private_chat' | 'stranger_chat'): boolean {
  return (value ?? defaultSettings[name]) === 'on';
}
