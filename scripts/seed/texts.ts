import type { Random } from '../fuzz/random.ts';

const surnames = [...'王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗'];
const given = [...'伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉萍红娟飞玲斌宇浩凯雪梅'];

/** A person's nickname. */
export function nickname(random: Random): string {
  return random.pick(surnames) + random.pick(given) + (random.chance(0.6) ? random.pick(given) : '');
}

const sentences = [
  '好的',
  '收到,谢谢',
  '明天上午十点开会,记得带上合同',
  '今天辛苦大家了',
  '这个需求下周能做完吗?',
  '我看一下再回复你',
  '在吗?',
  '吃饭了没',
  '客户说报价有点高,能不能再谈谈',
  '服务器刚刚重启过,现在应该正常了',
  'OK, see you tomorrow',
  'Can you send me the file again?',
  'LGTM 👍',
  '哈哈哈哈 😂',
  '[表情12]',
  '周末一起爬山吗?天气预报说是晴天,早上八点在地铁站集合',
  '文档在这里 https://example.com/docs/plan?id=7',
  '版本已经发布,请大家更新后再试;有问题直接在群里说',
  '请假一天,急事打电话',
  'voice(https://example.com/upload/voice/7.mp3)',
  'file[季度报告.xlsx\t24576](https://example.com/upload/file/report.xlsx)',
  '![](https://example.com/upload/image/42.png)',
];

/** What someone says; about one message in ten is long. */
export function sentence(random: Random): string {
  const one = random.pick(sentences);
  if (!random.chance(0.1)) return one;
  return Array.from({ length: random.integer(3, 12) }, () => random.pick(sentences)).join('\n');
}

const topics = ['项目', '家人', '同学', '读书', '羽毛球', '财务', '售后', '装修', '旅行', '值班'];

/** The name of a group. */
export function groupName(random: Random): string {
  return `${random.pick(topics)}群${random.integer(1, 99)}`;
}

const remarks = ['老同学', '张工', '房东', '客户经理', '表哥', '健身教练', '供应商小李'];

/** What one calls a friend. */
export function remarkOf(random: Random): string {
  return random.pick(remarks);
}

const signs = ['每天进步一点点', '忙碌中,请留言', '生活不止眼前', 'keep calm', '出差中', '🌊'];

/** What a person writes under their name; `number` makes it another each time. */
export function signOf(random: Random, number: number): string {
  return `${random.pick(signs)} ${number}`;
}

const postscripts = ['我是你的同事', '你好,加个好友', '王经理推荐的', '上次展会见过'];

/** What an application says. */
export function postscriptOf(random: Random): string {
  return random.pick(postscripts);
}
