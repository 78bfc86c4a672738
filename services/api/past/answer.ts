import type { FastifyInstance } from 'fastify';
import { type Contract, isQuery, unknownParameter } from '../../../contracts/http/contract.ts';
import { QueryError } from '../../audit/as-of/query.ts';
import { administrationRoutes } from '../administration/accounts-and-groups.ts';
import { announcementRoutes } from '../administration/announcement.ts';
import { readForm } from '../form.ts';
import { friendRoutes } from '../friend.ts';
import { groupRoutes } from '../group.ts';
import { groupJoiningRoutes } from '../group-joining.ts';
import { createHttp } from '../http.ts';
import { messageRoutes } from '../message.ts';
import { popRoutes } from '../pop.ts';
import { replyRoutes } from '../reply.ts';
import { gatherContracts } from '../route.ts';
import { settingRoutes } from '../setting.ts';
import { userRoutes } from '../user.ts';
import { openPast, type PastParts } from './application.ts';
import { notInTheLog } from './not-in-the-log.ts';
import { type ReadQuery, readQuery } from './read-query.ts';

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
  administrationRoutes,
];

/** A query of the API, and under which host and protocol it is asked: an answer may name the websocket's address. */
export interface Asked {
  readonly path: string;
  /** Its parameters as a URL has them behind its `?`. */
  readonly search: string;
  readonly host: string;
  readonly protocol: string;
}

/** Answers the query that was asked. @returns the body of the answer, byte for byte */
export type Answer = () => Promise<string>;

/**
 * Hands `use` a function that answers a query of the API as the API itself does, by its routes, and what the query asks
 * about; undefined if the API refuses its parameters. What a query would append to the log, as that a chat was read, is
 * not appended. Nothing of the parts is read before the function is called.
 * @throws QueryError for what is no query, or is answered from more than the log, and what `use` throws
 */
export async function withAnswer<Result>(
  parts: PastParts,
  asked: Asked,
  use: (answer: Answer, query: ReadQuery | undefined) => Promise<Result>,
): Promise<Result> {
  const { application, stop } = await openPast(parts);
  const server = await createHttp(parts.logger, () => true);
  try {
    const served = gatherContracts(server);
    for (const routes of routesOfThePast) routes(server, application);
    const refuseFor = (reason: string | undefined) => {
      if (reason !== undefined) throw new QueryError(`${asked.path.slice(1)} cannot be answered: ${reason}`);
    };
    refuseFor(notInTheLog(asked.path));
    const queries = [...served.values()].flatMap(({ contract }) =>
      isQuery(contract) && notInTheLog(contract.path) === undefined ? [contract] : [],
    );
    const contract = queries.find(({ path }) => path === asked.path);
    if (!contract) throw new QueryError(unanswered(asked.path, queries));
    const given = readForm(asked.search);
    const unknown = unknownParameter(contract, Object.keys(given));
    if (unknown) throw new QueryError(`${unknown.name}: ${unknown.right}`);
    const query = readQuery(contract, given);
    refuseFor(notInTheLog(asked.path, query?.parameters));
    return await use(() => answer(server, parts, contract, asked), query);
  } finally {
    await server.close();
    await stop();
  }
}

async function answer(
  server: FastifyInstance,
  { app }: PastParts,
  contract: Contract,
  { search, host, protocol }: Asked,
): Promise<string> {
  const { payload } = await server.inject({
    method: contract.methods.includes('GET') ? 'GET' : 'POST',
    // Of these a URL would take the first for the end of the parameters, and drop the others.
    url: `/api${contract.path}?${search.replace(/[#\t\n\r]/g, encodeURIComponent)}`,
    headers: {
      host,
      'x-forwarded-proto': protocol,
      'x-app-key': app.key,
      'x-app-secret': app.secret,
    },
  });
  return payload;
}

function unanswered(path: string, queries: readonly { readonly path: string }[]): string {
  const names = queries.map((query) => query.path.slice(1));
  return `${path.slice(1)} cannot be answered: it is no query of the API; queries are: ${names.sort().join(', ')}`;
}
