import { z } from 'zod';
import type { DocumentClient } from './document-client.ts';

/** The people of the document, and `spike`, who has no friends. */
export interface World {
  readonly tom: number;
  readonly jerry: number;
  readonly cat: number;
  readonly spike: number;
}

const phone = '13812345678';

/** Registers the people of the document. */
export async function createWorld(client: DocumentClient): Promise<World> {
  const uidOf = async (username: string, nickname: string) => {
    const given = { username, nickname, password: 'secret-1', avatar: '', sign: '' };
    return z.object({ uid: z.int() }).parse(await client.ask('GET /api/user/add', given)).uid;
  };
  const tom = await uidOf('tom', '猫猫');
  const jerry = await uidOf('jerry', '小老鼠');
  const cat = await uidOf('cat', '喵喵');
  const spike = await uidOf('spike', '大狗');
  await client.ask('POST /api/user/update', { login_uid: tom, is_member: 1 });
  return { tom, jerry, cat, spike };
}

/** The parameters of each call of the document; each first makes what its call needs, such as a group. */
export function documentRequests(
  client: DocumentClient,
  world: World,
): Readonly<Record<string, () => Promise<Record<string, unknown>>>> {
  const ask = client.ask.bind(client);
  const fresh = async (username: string) => {
    const given = { username, nickname: username, password: 'secret-1' };
    return z.object({ uid: z.int() }).parse(await ask('GET /api/user/add', given)).uid;
  };

  const applied = async (from: number) => {
    await ask('POST /api/friend/apply', { login_uid: from, friend_uid: world.tom });
    const list = await ask('GET /api/friend/applylist', { login_uid: world.tom });
    return (
      z
        .array(z.object({ nid: z.int() }))
        .min(1)
        .parse(list)[0]?.nid ?? 0
    );
  };

  const group = async () => {
    const made = await ask('POST /api/group/create', {
      login_uid: world.tom,
      members: [world.jerry, world.cat],
    });
    return Number(z.object({ gid: z.string() }).parse(made).gid);
  };

  const sent = async (to: number, type: 'friend' | 'group', from = world.tom) => {
    const answer = await ask('POST /api/message/send', { login_uid: from, to, type, content: '你好' });
    return z.object({ mid: z.int() }).parse(answer).mid;
  };

  const smsCode = async (purpose: string) => {
    const list = await ask('GET /dev/sms', { phone });
    const codes = z.array(z.object({ type: z.string(), code: z.string() })).parse(list);
    return codes.find(({ type }) => type === purpose)?.code ?? '';
  };

  const replied = async () => {
    await ask('POST /api/reply/add', { login_uid: world.tom, type: 2, title: '快', content: '捷' });
    const lists = await ask('GET /api/reply/get', { login_uid: world.tom });
    return z.object({ '2': z.array(z.object({ id: z.int() })).min(1) }).parse(lists)['2'][0]?.id ?? 0;
  };

  const ofTom = () => ({ login_uid: world.tom });
  const withJerry = () => ({ ...ofTom(), id: world.jerry, type: 'friend' });
  let names = 0;
  const account = () => ({
    ...{ username: `new${++names}`, nickname: '新萌', avatar: '', password: 'secret-1', sign: '' },
  });

  /** Registers someone with a phone. @returns their uid */
  async function joined(number: string): Promise<number> {
    await ask('POST /web/service/send_sms', { phone: number, type: 'register' });
    const codes = z.array(z.object({ code: z.string() })).parse(await ask('GET /dev/sms', { phone: number }));
    const given = { username: `joined${number}`, nickname: '新萌', password: 'secret-1', phone: number };
    await ask('POST /api/login/join', { ...given, code: codes[0]?.code });
    const found = await ask('GET /api/user/get', { username: given.username, login_uid: world.tom });
    return z.object({ uid: z.int() }).parse(found).uid;
  }

  return {
    'POST /web/service/send_sms': async () => ({ phone: '13811111111', type: 'register' }),
    'POST /h5/user/send_sms_pass': async () => {
      const owner = await joined('13822222222');
      return { login_uid: owner, phone: '13822222222', type: 'retrieve' };
    },
    'POST /web/service/forget_pass': async () => {
      await joined(phone);
      await ask('POST /web/service/send_sms', { phone, type: 'forget' });
      return { phone, code: await smsCode('forget'), username: `joined${phone}`, newpass: 'secret-2' };
    },
    'POST /api/login/join': async () => {
      await ask('POST /web/service/send_sms', { phone: '13833333333', type: 'register' });
      const codes = z
        .array(z.object({ code: z.string() }))
        .parse(await ask('GET /dev/sms', { phone: '13833333333' }));
      return { ...account(), phone: '13833333333', code: codes[0]?.code };
    },
    'GET /api/friend/get_temp_list': async () => {
      await sent(await fresh('stranger'), 'friend');
      return ofTom();
    },
    'POST /api/message/delete': async () => ({
      ...withJerry(),
      mid: await sent(world.jerry, 'friend'),
      ty: 1,
    }),
    'GET /api/reply/get': async () => {
      for (const type of [1, 2, 3]) {
        const given = { type, title: '问', content: '答', weights: 100, is_default: 1 };
        await ask('POST /api/reply/add', { ...ofTom(), ...given });
      }
      return ofTom();
    },
    'POST /api/reply/add': async () => ({
      ...ofTom(),
      type: 1,
      title: '欢迎',
      content: '你好',
      weights: 1,
      is_default: 1,
    }),
    'POST /api/reply/update': async () => ({
      ...ofTom(),
      rid: await replied(),
      type: 2,
      title: '快',
      content: '慢',
    }),
    'POST /api/reply/delete': async () => ({ ...ofTom(), rid: await replied() }),
    'POST /api/user/open_user': async () => ({ ...ofTom(), ...account() }),
    'GET /api/user/add': async () => account(),
    'GET /api/user/get': async () => ({ uid: world.jerry, ...ofTom() }),
    'GET /api/user/multiGet': async () => ({ uid: [world.tom, world.jerry] }),
    'POST /api/user/update': async () => ({
      ...ofTom(),
      nickname: '猫猫',
      sign: '大懒猫',
      account_state: 'normal',
    }),
    'POST /api/user/updatepassword': async () => ({
      ...ofTom(),
      ...{ password1: 'secret-2', password2: 'secret-2', password_old: 'secret-1' },
    }),
    'POST /api/friend/apply': async () => ({ login_uid: world.spike, friend_uid: world.tom }),
    'POST /api/friend/agree': async () => ({ ...ofTom(), nid: await applied(await fresh('agreeing')) }),
    'POST /api/friend/refuse': async () => ({ ...ofTom(), nid: await applied(await fresh('refused')) }),
    'POST /api/friend/add': async () => ({ ...ofTom(), friend_uid: world.jerry }),
    'POST /api/friend/remark': async () => ({ ...ofTom(), friend_uid: world.jerry, remark: '备注名' }),
    'GET /api/friend/applylist': async () => {
      await applied(await fresh('waiting'));
      return ofTom();
    },
    'GET /api/friend/getlist': async () => ofTom(),
    'GET /api/friend/applycount': async () => ofTom(),
    'GET /api/friend/applydetail': async () => ({ ...ofTom(), nid: await applied(await fresh('detailed')) }),
    'POST /api/friend/delete': async () => {
      const friend_uid = await fresh('former');
      await ask('POST /api/friend/add', { ...ofTom(), friend_uid });
      return { ...ofTom(), friend_uid };
    },
    'POST /api/friend/update': async () => {
      await sent(world.jerry, 'friend');
      const state = { state: 'chatting', last_read_time: 1559290158, unread_count: 0, top: 1 };
      return { ...ofTom(), friend_uid: world.jerry, ...state };
    },
    'POST /api/group/create': async () => ({ ...ofTom(), members: [world.jerry] }),
    'POST /api/group/delete': async () => ({ ...ofTom(), gid: await group() }),
    'POST /api/group/memberadd': async () => ({ ...ofTom(), gid: await group(), members: [world.spike] }),
    'POST /api/group/join': async () => ({ login_uid: world.spike, gid: await group() }),
    'GET /api/group/members': async () => ({ ...ofTom(), gid: await group(), limit: 10, index: 0 }),
    'POST /api/group/memberdel': async () => ({ ...ofTom(), gid: await group(), members: [world.cat] }),
    'GET /api/group/detail': async () => ({ ...ofTom(), gid: await group(), at: 0 }),
    'POST /api/group/remark': async () => ({ ...ofTom(), gid: await group(), remark: '我们' }),
    'POST /api/group/manager': async () => ({ ...ofTom(), uid: world.jerry, gid: await group(), value: 1 }),
    'POST /api/group/ismanager': async () => ({ ...ofTom(), uid: world.jerry, gid: await group() }),
    'POST /api/group/forbiddenuser': async () => ({
      ...{ ...ofTom(), gid: await group(), uid: world.jerry },
      time: Math.floor(Date.now() / 1000) + 60,
    }),
    'POST /api/group/forbiddenall': async () => ({ ...ofTom(), gid: await group(), value: 1 }),
    'POST /api/group/leave': async () => ({ login_uid: world.cat, gid: await group() }),
    'POST /api/group/memberupdate': async () => ({
      ...ofTom(),
      ...{ gid: await group(), state: 'hidden', last_read_time: 1559290158 },
    }),
    'POST /api/message/send': async () => ({
      ...{ ...ofTom(), to: world.jerry, type: 'friend', content: '你好' },
      quote_mid: await sent(world.jerry, 'friend'),
    }),
    'GET /api/message/get': async () => {
      await sent(world.jerry, 'friend');
      return { ...withJerry(), limit: 10, mid: await sent(world.jerry, 'friend') };
    },
    'POST /api/message/revoke': async () => ({ ...withJerry(), mid: await sent(world.jerry, 'friend') }),
    'GET /api/message/unreadcount': async () => {
      await sent(world.tom, 'friend', world.jerry);
      return withJerry();
    },
    'POST /api/message/updateLastReadTime': async () => withJerry(),
    'GET /api/pop/get': async () => {
      await ask('POST /api/friend/add', { ...ofTom(), friend_uid: world.jerry });
      await sent(world.jerry, 'friend');
      await sent(await group(), 'group');
      return ofTom();
    },
    'POST /api/pop/delchat': async () => withJerry(),
    'GET /api/pop/getsetting': async () => ({}),
  };
}
