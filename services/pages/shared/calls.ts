import type { z } from 'zod';
import type {
  friendAgree,
  friendApply,
  friendApplyList,
  friendGetList,
} from '../../../contracts/http/friend.ts';
import type { loginJoin, loginLogin, loginLogout } from '../../../contracts/http/login.ts';
import type { messageGet, messageSend } from '../../../contracts/http/message.ts';
import type { popGet, popGetSetting } from '../../../contracts/http/pop.ts';

/** The calls that the pages make, by their paths: types alone, so that no schema gets into a page's script. */
export interface Calls {
  '/friend/agree': typeof friendAgree;
  '/friend/apply': typeof friendApply;
  '/friend/applylist': typeof friendApplyList;
  '/friend/getlist': typeof friendGetList;
  '/login/join': typeof loginJoin;
  '/login/login': typeof loginLogin;
  '/login/logout': typeof loginLogout;
  '/message/get': typeof messageGet;
  '/message/send': typeof messageSend;
  '/pop/get': typeof popGet;
  '/pop/getsetting': typeof popGetSetting;
}

export type Parameters<Path extends keyof Calls> = z.input<Calls[Path]['parameters']>;
export type Data<Path extends keyof Calls> = z.output<Calls[Path]['data']>;

/** The calls that are GET, with their parameters in the query. */
const queries: ReadonlySet<keyof Calls> = new Set([
  '/friend/applylist',
  '/friend/getlist',
  '/message/get',
  '/pop/get',
  '/pop/getsetting',
]);

/** What the API answers if it does not carry a call out. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Who calls: nobody, or somebody with a token. */
export interface Api {
  /** @throws CallRefused; TypeError if the server cannot be reached */
  call<Path extends keyof Calls>(path: Path, parameters: Parameters<Path>): Promise<Data<Path>>;
}

/** Calls the API of the page's own server. @param token of the person who calls; undefined if nobody is signed in */
export function createApi(token: () => string | undefined): Api {
  return {
    async call(path, parameters) {
      const own = token();
      const authorization = own === undefined ? {} : { authorization: `Bearer ${own}` };
      const response = queries.has(path)
        ? await fetch(`/api${path}?${queryOf(parameters)}`, { headers: authorization })
        : await fetch(`/api${path}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...authorization },
            body: JSON.stringify(parameters),
          });
      const { code, msg, data } = await response.json();
      if (code !== 0) throw new CallRefused(code, msg);
      return data;
    },
  };
}

function queryOf(parameters: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) query.set(name, String(value));
  return query;
}
