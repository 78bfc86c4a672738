import type { FastifyInstance } from 'fastify';
import { type Contract, isQuery, unknownParameter } from '../../contracts/http/contract.ts';
import { popGet } from '../../contracts/http/pop.ts';
import { Uid } from '../../contracts/ids.ts';
import { QueryError } from '../audit/as-of/query.ts';
import type { Scope } from '../audit/as-of/scope.ts';
import { announcementRoutes } from './administration/announcement.ts';
import { friendRoutes } from './friend.ts';
import { groupRoutes } from './group.ts';
import { groupJoiningRoutes } from './group-joining.ts';
import { createHttp } from './http.ts';
import { messageRoutes } from './message.ts';
import { openPast, type PastParts } from './past-application.ts';
import { popRoutes } from './pop.ts';
import { replyRoutes } from './reply.ts';
import { gatherContracts } from './route.ts';
import { settingRoutes } from './setting.ts';
import { userRoutes } from './user.ts';

/** The routes whose queries are answered from the log and the read models alone. */
const routesOfThePast = [
  userRoutes,
  friendRoutes,
  groupRoutes,
  groupJoiningRoutes,
  messageRoutes,
  popRoutes,
  replyRoutes,
  settingRoutes,
  announcementRoutes,
];

/** A query of the API, and under which host and protocol it is asked: an answer may name the websocket's address. */
export interface Asked {
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly host: string;
  readonly protocol: string;
}

/** The names of parameters that say for whom or about whom a query is. */
const ofPerson = ['login_uid'];
const ofProfiles = ['uid', 'uid[]'];

/** Whom the read models must show for a query to be answered; a person whom only a name or nid identifies is added. */
export function scopeOf(
  { path, parameters }: Pick<Asked, 'path' | 'parameters'>,
  named: readonly Uid[] = [],
): Scope {
  const uids = (names: readonly string[]) =>
    names
      .flatMap((name) => parameters.getAll(name))
      .flatMap((value) => value.split(','))
      .flatMap((text) => (/^\d{1,16}$/.test(text) ? (Uid.safeParse(Number(text)).data ?? []) : []));
  return {
    people: uids(ofPerson),
    profiles: [...uids(ofProfiles), ...named],
    messages: path === popGet.path ? 'of chats' : 'all',
  };
}

/** Answers the query that was asked. @returns the body of the answer, byte for byte */
export type Answer = () => Promise<string>;

/**
 * Hands `use` a function that answers a query of the API as the API itself does, by its routes. What a query would
 * append to the log, as that a chat was read, is not appended. Nothing of the parts is read before it is called.
 * @throws QueryError for what is no query, or is answered from more than the log, and what `use` throws
 */
export async function withAnswer<Result>(
  parts: PastParts,
  asked: Asked,
  use: (answer: Answer) => Promise<Result>,
): Promise<Result> {
  const { application, stop } = await openPast(parts);
  const server = await createHttp(parts.logger, () => true);
  try {
    const served = gatherContracts(server);
    for (const routes of routesOfThePast) routes(server, application);
    const queries = [...served.values()].flatMap(({ contract }) => (isQuery(contract) ? [contract] : []));
    const contract = queries.find(({ path }) => path === asked.path);
    if (!contract || beyondTheLog(asked)) throw new QueryError(unanswered(asked.path, queries));
    const unknown = unknownParameter(contract, asked.parameters.keys());
    if (unknown) throw new QueryError(`${unknown.name}: ${unknown.right}`);
    return await use(() => answer(server, parts, contract, asked));
  } finally {
    await server.close();
    await stop();
  }
}

async function answer(
  server: FastifyInstance,
  { app }: PastParts,
  contract: Contract,
  { parameters, host, protocol }: Asked,
): Promise<string> {
  const { payload } = await server.inject({
    method: contract.methods.includes('GET') ? 'GET' : 'POST',
    url: `/api${contract.path}?${parameters}`,
    headers: {
      host,
      'x-forwarded-proto': protocol,
      'x-app-key': app.key,
      'x-app-secret': app.secret,
    },
  });
  return payload;
}

/** What was pushed, and passwords, are in no log. */
function beyondTheLog({ path, parameters }: Asked): boolean {
  return path === '/message/sync' || parameters.has('password');
}

function unanswered(path: string, queries: readonly { readonly path: string }[]): string {
  const names = queries.map((query) => query.path.slice(1)).filter((name) => name !== 'message/sync');
  return `${path.slice(1)} cannot be answered from the log; these queries can: ${names.sort().join(', ')}`;
}
