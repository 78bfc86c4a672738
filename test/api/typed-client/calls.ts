import createClient from 'openapi-fetch';
import type { components, paths, webhooks } from '#openapi';

/*
 * A client as others write it, with types that are made from openapi.json alone. test/api/typed-client.test.ts makes
 * `#openapi`, checks the types of this page, and runs it.
 */

type Message = components['schemas']['Message'];
type MessagePush = webhooks['message']['post']['requestBody']['content']['application/json'];

/** What the page has seen. */
export interface Seen {
  readonly uids: readonly number[];
  readonly position: string | null;
  readonly texts: readonly string[];
  readonly refusal: string;
  readonly members: readonly string[];
  readonly appName: string;
  readonly pushed: readonly string[];
}

/** Registers two people, who chat. @throws Error if anything is refused that should not be */
export async function talk(url: string, serverKey: Readonly<Record<string, string>>): Promise<Seen> {
  const server = createClient<paths>({ baseUrl: `${url}/api`, headers: serverKey });

  async function register(username: string, nickname: string): Promise<number> {
    const { data: answer } = await server.POST('/user/add', {
      body: { username, nickname, password: 'secret-1' },
    });
    if (answer?.code !== 0) throw new Error(answer?.msg);
    return answer.data.uid;
  }
  const tom = await register('typedtom', '汤姆');
  const jerry = await register('typedjerry', '杰瑞');
  await server.POST('/friend/add', { body: { login_uid: tom, friend_uid: jerry } });

  const { data: login } = await server.POST('/login/login', {
    body: { username: 'typedtom', password: 'secret-1' },
    headers: { 'X-App-Key': null, 'X-App-Secret': null },
  });
  if (login?.code !== 0) throw new Error(login?.msg);
  const client = createClient<paths>({
    baseUrl: `${url}/api`,
    headers: { authorization: `Bearer ${login.data.token}` },
  });

  const { data: sent, response } = await client.POST('/message/send', {
    body: { to: jerry, type: 'friend', content: '你好', uniqueId: 'typed-1' },
  });
  if (sent?.code !== 0) throw new Error(sent?.msg);
  const mid: number = sent.data.mid;
  const position = response.headers.get('x-position');

  const { data: history } = await client.GET('/message/get', {
    params: {
      query: { id: jerry, type: 'friend', limit: 20 },
      ...(position !== null && { header: { 'X-Position': position } }),
    },
  });
  if (history?.code !== 0) throw new Error(history?.msg);
  const messages: Message[] = history.data;
  if (!messages.some((message) => message.mid === mid)) throw new Error('the message is not there');

  const { data: refused } = await client.POST('/message/send', {
    body: { to: jerry, type: 'friend', content: '又见面了', quote_mid: mid + 1_000_000 },
  });
  const refusal = refused === undefined || refused.code === 0 ? 'none' : nameOf(refused.code);

  const { data: created } = await client.POST('/group/create', { body: { members: [jerry] } });
  if (created?.code !== 0) throw new Error(created?.msg);
  const { data: group } = await client.GET('/group/detail', {
    params: { query: { gid: Number(created.data.gid) } },
  });
  if (group?.code !== 0) throw new Error(group?.msg);
  const members = Object.values(group.data.members ?? {}).map(({ nickname }) => nickname);

  const { data: setting } = await client.GET('/pop/getsetting');
  if (setting?.code !== 0) throw new Error(setting?.msg);

  const { data: missed } = await client.GET('/message/sync');
  if (missed?.code !== 0) throw new Error(missed?.msg);

  return {
    uids: [tom, jerry],
    position,
    texts: messages.map(({ content }) => content),
    refusal,
    members,
    appName: setting.data.app_name,
    pushed: missed.data.events.map(({ event }) => event),
  };
}

/** Names a refusal of message/send: every code has a case, and no other code does. */
function nameOf(code: Refused<'/message/send'>['code']): string {
  switch (code) {
    case -1:
      return 'not logged in';
    case 1:
    case 2:
      return 'a wrong parameter';
    case 4:
    case 200:
      return 'muted';
    case 83:
    case 84:
    case 85:
      return 'not allowed';
    case 101:
    case 404:
    case 701:
      return 'nothing there';
    default:
      return code satisfies never;
  }
}

type Answer<Path extends '/message/send'> =
  paths[Path]['post']['responses'][200]['content']['application/json'];
type Refused<Path extends '/message/send'> = Exclude<Answer<Path>, { code: 0 }>;

/** What a screen shows of a push. */
export const shown = ({ from_name, content, position }: MessagePush): string =>
  `${from_name}: ${content} (${position.length})`;

/** What the types must refuse; nobody calls it. */
export function misuse(client: ReturnType<typeof createClient<paths>>, answer: Answer<'/message/send'>) {
  // @ts-expect-error: `content` is required.
  void client.POST('/message/send', { body: { to: 1, type: 'friend' } });
  // @ts-expect-error: there is no such type of chat.
  void client.GET('/message/get', { params: { query: { id: 1, type: 'x' } } });
  // @ts-expect-error: `data` has a mid only if the code is 0.
  void answer.data.mid;
  // @ts-expect-error: message/send is not refused with this code.
  void (answer.code === 702);
}
