import type { z } from 'zod';
import { type PushName, pushes } from '../../../contracts/push/index.ts';

/** The channel and the meaning of each push. */
const described: Readonly<Record<PushName, readonly [shape: z.ZodObject, channel: string, meaning: string]>> =
  {
    message: [pushes.message, 'user、group', '一条消息或提示;发送者自己的其他设备也会收到'],
    revoke: [
      pushes.revoke,
      'user、group',
      '消息被撤回;`id` 是会话对方的 uid 或 gid,`uid` 是操作者,0为系统管理员',
    ],
    message_delete: [pushes.message_delete, 'user、group', '消息被删除,或为自己删除'],
    read: [pushes.read, 'user', '读到了 `mid`;自己在其他设备上读了,或单聊中对方读了'],
    friendApply: [pushes.friendApply, 'user', '`uid` 申请加为好友;带gid时为入群邀请'],
    addFriend: [pushes.addFriend, 'user', '新的好友'],
    removeFriend: [pushes.removeFriend, 'user', '`uid` 不再是好友'],
    presence: [pushes.presence, 'user', '好友上线或下线;只有实时推送,没有 `position`'],
    profile: [pushes.profile, 'user、group', '自己、好友或群成员的昵称或头像变更'],
    addGroup: [pushes.addGroup, 'user', '自己进入了群'],
    removeGroup: [pushes.removeGroup, 'user', '自己已不在群中,或群已解散'],
    updateGroup: [pushes.updateGroup, 'group', '群头像变更'],
    update: [
      pushes.update,
      'group',
      '群名称、群主、管理员或禁言变更,用 `group/detail`、`group/members` 重新读取',
    ],
    settingChange: [pushes.settingChange, 'global', '系统配置变更'],
    announcement: [pushes.announcement, 'announcements', '发给所有人的公告'],
    announcement_revoke: [pushes.announcement_revoke, 'announcements', '公告被撤回'],
  };

const fieldsOf = ({ shape }: z.ZodObject): string =>
  Object.entries<z.ZodType>(shape)
    .map(([name, field]) => `\`${name}\`${field.def.type === 'optional' ? '?' : ''}`)
    .join('、');

/** The pushes as a table of the page: channel, data, meaning. */
export const pushTable = [
  '| 事件 | 频道 | data(以及 `position`) | 含义 |',
  '|---|---|---|---|',
  ...Object.entries(described).map(
    ([name, [shape, channel, meaning]]) => `| \`${name}\` | ${channel} | ${fieldsOf(shape)} | ${meaning} |`,
  ),
].join('\n');
