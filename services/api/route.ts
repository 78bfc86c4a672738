import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../../contracts/codes.ts';
import { escapeTexts } from '../../contracts/escaped-texts.ts';
import { readModelCategories } from '../../contracts/events/index.ts';
import {
  type Contract,
  isQuery,
  prefixesOf,
  readParameters,
  unknownParameter,
} from '../../contracts/http/contract.ts';
import type { Uid } from '../../contracts/ids.ts';
import { logPositionForm } from '../../contracts/log-position.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { CommandContext } from '../commands/context.ts';
import { countCommand } from '../edge/rate-limit.ts';
import { type Position, startOfLog } from '../log/log.ts';
import { admit, settingsWhenReady } from './admit.ts';
import type { Application } from './application.ts';
import { auditUseOf } from './audit/use.ts';
import { authorize, type Caller } from './caller.ts';
import {
  createCommandQueue,
  createLargeCommandQueue,
  createQueryQueue,
  isLarge,
  maxWaiting,
} from './calls-under-way.ts';
import type { ServedContract } from './documentation/openapi.ts';
import { done } from './envelope.ts';
import { maxBytesOf } from './form.ts';
import { readGiven } from './given.ts';
import { contextOf } from './request-context.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The contract that a route serves. */
    contract?: Contract;
  }
}

/** How long an answer waits for the read models. */
export const readModelsTimeoutMs = 2000;

/** The header that carries a position in the log, from a command to the queries that follow. */
const positionHeader = 'x-position';

/** A request with valid parameters, whose caller may make it. */
export interface Call<Parameters> {
  readonly parameters: Parameters;
  readonly caller: Caller;
  /** The person for whom it is made. @throws Refusal missing if the server's key names nobody */
  readonly me: () => Uid;
  /** The same; undefined if the server's key names nobody. */
  readonly uid: Uid | undefined;
  readonly context: CommandContext;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a handler returns: the data, and for commands the position that the read models must reach. */
export interface Outcome<Data> {
  readonly data: Data;
  readonly position?: Position;
}

const nobody: Caller = { kind: 'nobody' };

const commands = createCommandQueue();
const largeCommands = createLargeCommandQueue();
const queries = createQueryQueue();

/** The outcome of a call that appends nothing. */
export const carriedOut: Outcome<[]> = { data: [] };

/** The outcome of a command without data. */
export function shownAt(position: Position): Outcome<[]> {
  return { data: [], position };
}

/** Serves a contract: finds the caller, reads the parameters, runs the handler, waits for the read models. */
export function serve<Parameters extends z.ZodObject, Data extends z.ZodType>(
  server: FastifyInstance,
  application: Application,
  contract: Contract<Parameters, Data>,
  handle: (call: Call<z.infer<Parameters>>) => Promise<Outcome<z.input<Data>>>,
): void {
  const answer = (request: FastifyRequest, reply: FastifyReply) =>
    answerCall(application, contract, request, reply, async (call, settings) => {
      const { data, position } = await handle(call);
      if (position !== undefined && position !== startOfLog) {
        reply.header(positionHeader, position);
        await application.progress.reached(position, readModelsTimeoutMs);
      }
      return done(isEscaped(contract, settings) ? escapeTexts(JSON.stringify(data)) : data);
    });
  addRoutes(server, application, contract, answer);
}

/**
 * Whether what people wrote is escaped in an answer (docs/behaviour.md, Settings). What operators and analysts are
 * told stays as it was written: an answer of the past, too, is escaped only if it was so then.
 */
function isEscaped({ unprefixed }: Contract, { escape_html }: Settings): boolean {
  return escape_html === 'on' && !unprefixed;
}

/** Serves a contract whose answer is a picture; refusals are in the envelope. */
export function servePicture<Parameters extends z.ZodObject, Data extends z.ZodType>(
  server: FastifyInstance,
  application: Application,
  contract: Contract<Parameters, Data>,
  handle: (call: Call<z.infer<Parameters>>) => Promise<Uint8Array>,
): void {
  const answer = (request: FastifyRequest, reply: FastifyReply) =>
    answerCall(application, contract, request, reply, async (call) => {
      const picture = await handle(call);
      reply.type(contract.picture ?? 'application/octet-stream');
      return picture;
    });
  addRoutes(server, application, contract, answer);
}

function addRoutes(
  server: FastifyInstance,
  application: Application,
  contract: Contract,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): void {
  for (const prefix of prefixesOf(contract)) {
    const url = `${prefix}${contract.path}`;
    server.route({
      ...{ method: [...contract.methods], url, handler, config: { contract, counts: 'own' } },
      onRequest: async (request) => {
        request.caller = await admit(request, contract, application);
      },
      bodyLimit: maxBytesOf(contract),
      // Some GET calls change something: message/get marks messages as read, user/add adds a user. So no HEAD.
      exposeHeadRoute: contract.picture !== undefined,
    });
  }
}

/** Collects each contract that is served from now on, once. */
export function gatherContracts(server: FastifyInstance): ReadonlyMap<string, ServedContract> {
  const served = new Map<string, ServedContract>();
  server.addHook('onRoute', ({ url, config }) => {
    const contract = config?.contract;
    if (contract) served.set(contract.path, { contract, prefixed: url !== contract.path });
  });
  return served;
}

/** Reads the parameters of a call, checks its caller's right, and answers it. */
async function answerCall<Parameters extends z.ZodObject, Answer>(
  application: Application,
  contract: Contract<Parameters, z.ZodType>,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: (call: Call<z.infer<Parameters>>, settings: Settings) => Promise<Answer>,
): Promise<Answer> {
  const { caller = nobody } = request;
  const { generation } = application.log;
  const settings = await settingsWhenReady(application, contract);
  const { given, release } = await readGiven(request, contract, application, settings, caller);
  try {
    const uid = authorize(caller, contract.access, given);
    if (contract.strict) mustKnowAll(contract, given);
    const parameters = readParameters(contract.parameters, given, contract.strict);
    if (request.headers[positionHeader]) await showAsked(application, request, reply);
    const origin = contextOf(request, caller, uid, application.app, settings);
    const context: CommandContext = { ...origin, time: application.now(), generation };
    const audit = auditUseOf(contract, parameters);
    if (audit) application.access.record(audit, context);
    const me = () => {
      if (uid === undefined) throw Refusal.missing('login_uid');
      return uid;
    };
    const carryOut = () => answer({ parameters, caller, me, uid, context, request, reply }, settings);
    if (caller.kind !== 'user' || contract.upload || contract.picture) return await carryOut();
    const share = { of: context.actor, maxWaiting };
    if (!contract.methods.includes('GET')) {
      if (!isQuery(contract)) {
        countCommand(context.actor, Buffer.byteLength(JSON.stringify(parameters)), settings);
      }
      const run = () => commands.run(share, carryOut);
      if (!isLarge(contract, parameters)) return await run();
      return await largeCommands.run(share, () => {
        mustBeAwaited(request);
        return run();
      });
    }
    return await queries.run(share, () => {
      mustBeAwaited(request);
      return carryOut();
    });
  } finally {
    await release?.();
  }
}

/** @throws Refusal illegal for a parameter that the call does not have */
export function mustKnowAll(
  contract: Pick<Contract, 'path' | 'parameters' | 'access'>,
  given: Readonly<Record<string, unknown>>,
): void {
  const unknown = unknownParameter(contract, Object.keys(given));
  if (unknown) throw Refusal.illegal(unknown.name, `: ${unknown.right}`);
}

/**
 * What waited for its turn is not begun if its client has gone: one that asks and hangs up repeatedly costs little.
 * @throws Refusal tooSlow
 */
function mustBeAwaited({ raw }: FastifyRequest): void {
  if (raw.socket.destroyed) throw new Refusal('tooSlow');
}

/**
 * Waits until the read models show the position that a query names. A position beyond the end of the log is of a log
 * that was replaced by an older copy: the answer is from the current state, and its X-Position is `reset`.
 * @throws Refusal illegal if it is no position, notReady if they do not show it in time
 */
async function showAsked(
  { log, progress }: Application,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const asked = request.headers[positionHeader];
  if (typeof asked !== 'string' || !logPositionForm.test(asked)) {
    throw Refusal.illegal('X-Position');
  }
  if (asked > progress.checkpoint && asked > (await log.end(readModelCategories))) {
    reply.header(positionHeader, 'reset');
    return;
  }
  if (!(await progress.confirmed(asked as Position, readModelsTimeoutMs))) throw new Refusal('notReady');
}
