import { z } from 'zod';
import { Positioned, type PushName, pushes } from '../../../contracts/push/index.ts';
import type { Schemas, Shape } from './schemas.ts';
import { tagNamed } from './tags.ts';

/** The data, the channels and the meaning of each push. */
const described: Readonly<Record<PushName, readonly [data: z.ZodObject, channels: string, meaning: string]>> =
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

/** The pushes as webhooks: the data of each, which comes as JSON text in the Pusher event of that name. */
export function webhooksOf(schemas: Schemas): Shape {
  const ofPushes = Object.entries(described).map(([name, [data, channels, meaning]]): [string, Shape] => {
    const shape = name === 'presence' ? data.shape : { ...data.shape, ...Positioned.shape };
    return [name, webhook(name, channels, meaning, z.object(shape), schemas)];
  });
  const meaning = '无法补齐错过的推送:请重新加载,再从 `position` 继续';
  const reset = webhook('reset', '断线后重新订阅的频道', meaning, Positioned, schemas);
  return { ...Object.fromEntries(ofPushes), reset };
}

function webhook(
  name: string,
  channels: string,
  meaning: string,
  data: z.ZodObject,
  schemas: Schemas,
): Shape {
  const schema = schemas.shapeOf(data.meta({ id: componentOf(name) }), 'output');
  return {
    post: {
      operationId: `push_${name}`,
      tags: [tagNamed('push')],
      summary: meaning.replaceAll('`', ''),
      description: `频道:${channels}。事件 \`${name}\` 的data(JSON文本):${meaning}`,
      security: [{}],
      requestBody: { required: true, content: { 'application/json': { schema } } },
      responses: { '200': { description: '推送不需要回答' } },
    },
  };
}

/** The name of the component of a push: `announcement_revoke` is `AnnouncementRevokePush`. */
function componentOf(name: string): string {
  const words = name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Push`;
}
