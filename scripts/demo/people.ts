import { phones, type uids } from '../../contracts/http/example-ids.ts';

export type Name = keyof typeof uids;

/** Somebody of the demonstration. */
export interface Person {
  readonly username: string;
  readonly nickname: string;
  readonly sign: string;
  /** The two colours of their picture. */
  readonly colours: readonly [string, string];
  readonly phone?: string;
  /** A 会员, who may answer questions beforehand. */
  readonly isMember?: true;
}

/** The people in the order in which they register; the first two are those to log in as. */
export const people = {
  tom: {
    ...{ username: 'tom', nickname: '汤小满', sign: '今天也要好好吃饭', colours: ['#4f7cff', '#9ad0ff'] },
    isMember: true,
  },
  jerry: {
    ...{ username: 'jerry', nickname: '杰瑞', sign: '奶酪研究员', colours: ['#ff7a59', '#ffd08a'] },
    phone: phones.jerry,
  },
  lin: { username: 'linyue', nickname: '林月', sign: '设计师,偶尔爬山', colours: ['#8a5cf6', '#f0a6ff'] },
  chen: { username: 'chenhao', nickname: '陈浩', sign: '', colours: ['#14a37f', '#a7e8bd'] },
  zhao: { username: 'zhaomin', nickname: '赵敏', sign: '有事请留言', colours: ['#e2557b', '#ffc2d1'] },
  wang: { username: 'wangwei', nickname: '王伟', sign: '值班中', colours: ['#64748b', '#cbd5e1'] },
  anna: { username: 'anna', nickname: 'Anna', sign: 'Remote from Lisbon', colours: ['#0ea5a4', '#c7f9f1'] },
  sun: { username: 'sunyi', nickname: '孙一', sign: '新来的,请多关照', colours: ['#b7791f', '#fbe38e'] },
} as const satisfies Readonly<Record<Name, Person>>;
