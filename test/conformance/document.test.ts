import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { servedContracts } from '../support/contracts.ts';
import { callsOf } from '../support/routes.ts';
import { picture } from '../support/uploading.ts';
import { beyondTheDocument, type DocumentedCall, documentedCalls } from './document.ts';
import { differences } from './shape.ts';

const Answer = z.strictObject({ code: z.literal(0), msg: z.literal('ok'), data: z.unknown() });
const phone = '13812345678';

/** What answers have that the document lacks. */
const beyond: ReadonlySet<string> = new Set(
  // Chats that are pinned; names in groups and of groups; owners of groups; unread mentions; members (会员) in every list; newer settings.
  [
    'top',
    'name',
    'at',
    'is_member',
    'dirty_words',
    'groupname',
    'uid',
    'member_detail',
    'app_name',
    'register',
    'register_sms',
    'escape_html',
    'register_captcha',
  ].concat(['login_captcha', 'explore_url', 'qrcode_friend', 'qrcode_group', 'qrcode_scan']),
);

let running: RunningApplication;
/** The people of the document, and one more. */
const world = { tom: 0, jerry: 0, cat: 0, spike: 0 };

beforeAll(async () => {
  running = await startApplication();
  const uidOf = async (username: string, nickname: string) => {
    const given = { username, nickname, password: 'secret-1', avatar: '', sign: '' };
    return z.object({ uid: z.int() }).parse(await ask('GET /api/user/add', given)).uid;
  };
  world.tom = await uidOf('tom', '猫猫');
  world.jerry = await uidOf('jerry', '小老鼠');
  world.cat = await uidOf('cat', '喵喵');
  world.spike = await uidOf('spike', '大狗');
  await ask('POST /api/user/update', { login_uid: world.tom, is_member: 1 });
});
afterAll(() => running.stop());

/** As a PHP client asks: a query, or a form. Answers the data, whose envelope must say that it was done. */
async function ask(call: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
  const response = await raw(call, parameters);
  return Answer.parse(await response.json()).data;
}

async function raw(call: string, parameters: Readonly<Record<string, unknown>>): Promise<Response> {
  const [method = '', path = ''] = call.split(' ');
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (Array.isArray(value)) for (const item of value) form.append(`${name}[]`, String(item));
    else form.append(name, String(value));
  }
  const url = running.url + path;
  if (method === 'GET') return fetch(`${url}?${form}`, { headers: serverKey });
  return fetch(url, { method, body: form, headers: serverKey });
}

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

/** What each call of the document is asked with here. */
const requests: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
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
  'POST /api/message/delete': async () => ({ ...withJerry(), mid: await sent(world.jerry, 'friend'), ty: 1 }),
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

/** Someone who joined by a phone of theirs. */
async function joined(number: string): Promise<number> {
  await ask('POST /web/service/send_sms', { phone: number, type: 'register' });
  const codes = z.array(z.object({ code: z.string() })).parse(await ask('GET /dev/sms', { phone: number }));
  const given = { username: `joined${number}`, nickname: '新萌', password: 'secret-1', phone: number };
  await ask('POST /api/login/join', { ...given, code: codes[0]?.code });
  const found = await ask('GET /api/user/get', { username: given.username, login_uid: world.tom });
  return z.object({ uid: z.int() }).parse(found).uid;
}

const contracts = new Map(servedContracts().map((contract) => [contract.path.toString(), contract]));

function contractOf({ call }: DocumentedCall) {
  const path = call.replace(/^\w+ \/(api|web|h5)/, '');
  const contract = contracts.get(path);
  if (!contract) throw new Error(`no contract serves ${path}`);
  return contract;
}

describe.each(documentedCalls.map((documented) => ({ ...documented })))('$call', (documented) => {
  const { call, parameters, data = [] } = documented;

  test('takes the parameters that the document names, needs none that it calls optional, by its method', () => {
    const { parameters: taken, methods } = contractOf(documented);
    for (const parameter of parameters) {
      const field = taken.shape[parameter.replace('?', '')];
      expect(field, parameter).toBeDefined();
      if (parameter.endsWith('?')) expect(z.safeParse(field, undefined).success, parameter).toBe(true);
    }
    expect(methods).toContain(call.split(' ')[0]);
  });

  const request = requests[call];
  if (!request) return;

  test('answers in the document’s shape, field by field', async () => {
    const answered = await ask(call, await request());
    expect(differences([data], answered, beyond)).toEqual([]);
    if (Array.isArray(data) && data.length > 0) expect(answered).not.toHaveLength(0);
    const { success } = z.safeParse(contractOf(documented).data, answered);
    expect(success, 'the contract of the answer').toBe(true);
  });
});

describe('the calls that are no form', () => {
  test.each(['avatar', 'img', 'file'])('/api/upload/%s answers in the document’s shape', async (kind) => {
    const body = new FormData();
    if (kind === 'avatar') body.append('login_uid', String(world.tom));
    body.append('file', new Blob([await picture('png')]), '文件名.png');
    const path = `/api/upload/${kind}`;
    const response = await fetch(running.url + path, { method: 'POST', body, headers: serverKey });
    const { data } = Answer.parse(await response.json());
    const documented = documentedCalls.find(({ call }) => call.endsWith(path));
    expect(differences([documented?.data], data, beyond)).toEqual([]);
    expect(data).toMatchObject({ name: '文件名.png', size: expect.stringMatching(/^\d+(\.\d\d)? K?B$/) });
  });

  test('/api/qrcode/get answers a stream of a picture', async () => {
    const response = await raw('GET /api/qrcode/get', { content: '二维码内容' });
    expect(response.headers.get('content-type')).toBe('image/png');
  });
});

test('every call of the document was asked', () => {
  const asked = [...Object.keys(requests), 'GET /api/qrcode/get'];
  const uploads = ['avatar', 'img', 'file'].map((kind) => `POST /api/upload/${kind}`);
  expect([...asked, ...uploads].sort()).toEqual(documentedCalls.map(({ call }) => call.toString()).sort());
});

test('every call that the server serves is the document’s, or stands beyond it for a reason', () => {
  const documented = documentedCalls.map(({ call }) => call.replace(/ \/(api|web|h5)/, ' '));
  expect([...documented, ...Object.keys(beyondTheDocument)].sort()).toEqual(callsOf(running.server));
});
