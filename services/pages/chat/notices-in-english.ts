import { createTranslator } from '../shared/sentences.ts';

/** Names as the server lists them: `甲、乙等12人`. */
const listed = (names: string) =>
  names.replaceAll('、', ', ').replace(/等(\d+)人$/, ' and others, $1 in all');

/** What a notice of a group, which the server words in Chinese, says in English; undefined if its words are not known. */
export const noticeInEnglish = createTranslator(
  [
    ['{0}创建了群聊,邀请了', '{0} made the group'],
    ['{0}创建了群聊,邀请了{1}', '{0} made the group and invited {1}'],
    ['{0}邀请{1}加入了群聊', '{0} brought {1} into the group'],
    ['{0}加入了群聊', '{0} joined the group'],
    ['{0}被{1}解除禁言', '{1} let {0} speak again'],
    ['{0}被{1}禁言', '{1} muted {0}'],
    ['{0}开启了全体禁言', '{0} muted everyone'],
    ['{0}解除了全体禁言', '{0} let everyone speak again'],
  ],
  listed,
);
