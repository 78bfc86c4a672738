import { z } from 'zod';
import { readJson } from '../../contracts/push/protocol.ts';
import type { PlantedTexts } from './planted-texts.ts';
import type { Outcome, Request } from './request.ts';

/** The envelope of every answer of the API. */
const Envelope = z.object({ code: z.int(), msg: z.string().min(1), data: z.unknown().optional() });
/** What Pusher's endpoints refuse with. */
const PusherFault = z.object({ error: z.string() });

/** What must be in no answer to anybody but its owner. */
export interface Secrets {
  /** The app's secret, which no answer may hold. */
  readonly app: string;
  /** The person whose token is in a text; undefined if none is. */
  tokenOwner(text: string): number | undefined;
}

/** The paths that answer outside of the envelope if they do not refuse: pages, files, probes and Pusher's endpoints. */
const outside =
  /^\/(($|\?)|(chat|console|assets|upload|apps|pusher|plugin)\/|docs|openapi\.json|health|ready)|\/push\/auth/;
const ofPusher = /^\/(apps|pusher|plugin)\/|\/push\/auth/;

/** More bytes than any body may have; the server may close before it has read them all. */
const maxBodyBytes = 256 * 1024;

/** The faults of the outcome of a request; empty if there are none. */
export function judge(
  { request, outcome }: { request: Request; outcome: Outcome },
  { planted, secrets }: { planted: PlantedTexts; secrets: Secrets },
): string[] {
  if (outcome.kind === 'hanging') return ['a connection was left hanging'];
  if (outcome.kind === 'cut') {
    return (request.body?.length ?? 0) > maxBodyBytes ? [] : ['a connection was cut without an answer'];
  }
  const text = outcome.body.toString();
  const shape = shapeFault(request, outcome, text);
  return [
    ...(shape === undefined ? [] : [shape]),
    ...secretFaults(text, request.caller.kind, request.caller.person?.uid, { planted, secrets }),
  ];
}

/** What a text reveals to its reader that it must not. */
export function secretFaults(
  text: string,
  kind: 'server' | string,
  reader: number | undefined,
  { planted, secrets }: { planted: PlantedTexts; secrets: Secrets },
): string[] {
  const faults: string[] = [];
  if (text.includes(secrets.app)) faults.push("an answer holds the app's secret");
  if (kind !== 'server') {
    const found = planted.forbidden(text, reader);
    if (found !== undefined) faults.push('an answer holds what only others may read');
    const owner = secrets.tokenOwner(text);
    if (owner !== undefined && owner !== reader) faults.push("an answer holds another's token");
  }
  return faults;
}

function shapeFault(
  { method, target, call }: Request,
  { status, headers }: Outcome & { kind: 'answered' },
  text: string,
): string | undefined {
  if (method === 'HEAD' || status === 304 || (method === 'OPTIONS' && status === 204)) return undefined;
  const json = readJson(text);
  if (status >= 400) return refusalFault(target, status, json);
  if (status >= 300) return outside.test(target) ? undefined : `an answer has the status ${status}`;
  if (outside.test(target)) return undefined;
  const type = String(headers['content-type'] ?? '');
  if (call?.picture && type.startsWith('image/')) return undefined;
  const envelope = Envelope.safeParse(json).data;
  if (envelope === undefined) return 'an answer is outside the envelope';
  const misfit = call?.misfit(json);
  return misfit === undefined ? undefined : `an answer of ${call?.path} does not fit openapi.json`;
}

function refusalFault(target: string, status: number, json: unknown): string | undefined {
  const envelope = Envelope.safeParse(json).data;
  const isExplained = envelope !== undefined && envelope.code === (status === 400 ? 2 : status);
  // The probes name their parts instead.
  if (status === 503) return isExplained || /^\/ready/.test(target) ? undefined : 'a 503 gives no reason';
  if (status === 507) return isExplained ? undefined : 'a 507 gives no reason';
  if (status >= 500) return `an answer has the status ${status}`;
  if (isExplained || (ofPusher.test(target) && PusherFault.safeParse(json).success)) return undefined;
  return `a refusal with the status ${status} is outside the envelope`;
}
