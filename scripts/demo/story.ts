import { gids } from '../../contracts/http/example-ids.ts';
import type { Talk } from './talk.ts';

/** How long Wang Wei may not speak: long enough to be looked at. */
const muteSeconds = 86_400;

/**
 * What the people do, until Tom and Jerry log in: each of them has chats that are not read yet. The examples of the
 * calls name what is made here (contracts/http/example-ids.ts).
 */
export async function tell(talk: Talk): Promise<void> {
  await talk.befriend('tom', ['jerry', 'lin', 'chen', 'anna']);
  await talk.befriend('jerry', ['lin', 'wang', 'anna']);
  // Before anything else that uses up a mid, as an application does: the examples name the first message.
  await withFriends(talk);
  await talk.apply('sun', 'tom', '我是新来的孙一,赵敏推荐我加您');
  await atExhibition(talk);
  await amongNewcomers(talk);
  await inProject(talk);
  await onHike(talk);
  await talk.answerBeforehand('tom', '营业时间', '每天9:00到18:00');
  await talk.announce('欢迎使用泡泡IM!这是一条发给所有人的公告。');
}

async function withFriends(talk: Talk): Promise<void> {
  const toTom = { type: 'friend', with: 'tom' } as const;
  const toJerry = { type: 'friend', with: 'jerry' } as const;
  await talk.say('tom', toJerry, '周末的奶酪展你去吗?');
  const yes = await talk.say('jerry', toTom, '当然去!票我已经买了两张 🧀');
  await talk.say('tom', toJerry, '太好了,几点见?', yes);
  await talk.say('jerry', toTom, '上午十点,地铁站东口');
  await talk.read('tom', toJerry);
  await talk.say('jerry', toTom, '路线在这里 https://example.com/map?id=7');
  await talk.say('anna', toTom, 'Hi! Did the build go through last night?');
  await talk.say('tom', { type: 'friend', with: 'anna' }, 'Yes, all green 👍');
  await talk.say('anna', toTom, 'Great, then I will tag it today.');
  await talk.attach('anna', toTom, 'release-notes.txt', 'Faster start\nFewer bytes for each message\n');
  await talk.say('chen', toTom, '[表情12] 下午的评审改到四点了');
}

async function atExhibition(talk: Talk): Promise<void> {
  const group = await talk.group('tom', gids.cheese, '奶酪展', ['jerry', 'lin', 'anna', 'chen']);
  await talk.promote('tom', group, 'lin');
  await talk.say('tom', group, '周六十点,东口见。票在我这里');
  await talk.say('jerry', group, '收到!我带饼干');
  await talk.read('tom', group);
}

async function amongNewcomers(talk: Talk): Promise<void> {
  const group = await talk.group('zhao', gids.newcomers, '新人群', ['wang', 'sun']);
  await talk.say('zhao', group, '欢迎!有问题在这里问');
}

async function inProject(talk: Talk): Promise<void> {
  const group = await talk.group('zhao', gids.project, '泡泡项目组', ['tom', 'jerry', 'lin', 'chen', 'wang']);
  await talk.promote('zhao', group, 'tom');
  await talk.say('zhao', group, '大家好,这周的目标:把新版首页发出去');
  const draft = await talk.say('lin', group, '首页的设计稿放在这里了,请大家看看');
  await talk.show('lin', group);
  await talk.say('chen', group, '颜色很好看,我来切图', draft);
  await talk.say('jerry', group, `${talk.mention('tom')} 接口文档更新了吗?`);
  await talk.say('tom', group, '更新了,见 [文档](https://example.com/docs/home)');
  const wrong = await talk.say('wang', group, '发错群了');
  await talk.revoke('wang', group, wrong);
  for (const _ of Array.from({ length: 3 })) await talk.say('wang', group, '抢红包啦!!!');
  await talk.mute('tom', group, 'wang', muteSeconds);
  await talk.apply('wang', 'tom', '汤哥,我是王伟,红包是误发的');
  await talk.say('zhao', group, `${talk.mention('jerry')} ${talk.mention('tom')} 五点前能合并吗?`);
}

async function onHike(talk: Talk): Promise<void> {
  const group = await talk.group('lin', gids.hike, '周末爬山', ['tom', 'jerry', 'anna', 'sun']);
  await talk.show('lin', group);
  await talk.say('lin', group, '上周拍的,这周六还去吗?早上八点在地铁站集合');
  await talk.say('anna', group, 'Count me in!');
  await talk.say('sun', group, '我也去,第一次参加,要带什么?');
}
