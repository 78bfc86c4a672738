import type { Mid, Uid } from '../../../contracts/ids.ts';
import type { Decoded } from '../../log/codec.ts';
import { localTime } from '../local-time.ts';
import { mergedStreams } from '../merged-streams.ts';
import type { Moment } from '../moment.ts';
import { NotFound } from '../not-found.ts';
import type { ReadableLog } from '../readable-log.ts';
import type { Inquiry } from './inquiry.ts';
import { lifeInWords, messageLife } from './message-life.ts';
import type { FindOrigin } from './message-origin.ts';
import { Nicknames } from './nicknames.ts';
import type { Question } from './question.ts';
import { unread, visibility } from './reading.ts';
import type { FindRequest, RequestEvent } from './request-events.ts';
import * as rights from './rights.ts';
import { followVerdict, type History, type Step, type VerdictHistory } from './steps.ts';
import type { Verdict } from './verdict.ts';
import { conversationName } from './wording.ts';

/** How many steps are shown, the last ones: more than anybody reads. */
export const defaultMaxSteps = 1_000;

/** What explaining works with. */
export interface ExplainParts {
  readonly log: ReadableLog;
  readonly findOrigin: FindOrigin;
  /** Undefined if there is no index of the log: then what else a request did is not shown. */
  readonly findRequest?: FindRequest | undefined;
}

/** The event behind a step, and the request behind the event. */
export interface EventCause {
  readonly kind: 'event';
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly id: string;
  /** `person 9 (猫猫)`, `the server's key for person 9 (猫猫)`, `the operator root@chat-1`, `a stranger`. */
  readonly by: string;
  readonly request: string;
  /** What else the request did; undefined if that is not known. */
  readonly beside: readonly RequestEvent[] | undefined;
}

/** A step with its cause, as it is shown. */
export interface ExplainedStep extends Omit<Step, 'cause'> {
  readonly cause: EventCause | { readonly kind: 'time'; readonly what: string };
}

/** The answer to a question, with how it came about. */
export interface Explanation {
  readonly question: Question;
  /** The moment of the answer, in milliseconds since 1970. */
  readonly at: number;
  readonly steps: readonly ExplainedStep[];
  /** How many steps before them are left out. */
  readonly omitted: number;
  /** Undefined for what happened to a message, which is no decision. */
  readonly verdict: Verdict | undefined;
  /** In one sentence. */
  readonly answer: string;
}

/**
 * Answers a question by replaying the log up to a moment.
 * @throws NotFound if who or what it names was not in the log by then; UnreadableEvent; LogFailure
 */
export async function explain(
  parts: ExplainParts,
  question: Question,
  moment: Moment,
  maxSteps: number = defaultMaxSteps,
): Promise<Explanation> {
  const wording = new Wording(parts, moment);
  const about = { question, at: moment.time };
  if (question.kind === 'message') {
    const origin = await originOf(parts, question.mid, moment);
    const life = await messageLife(parts.log, origin, moment, maxSteps);
    if (!life.sent) throw new NotFound(`message ${question.mid}`, moment);
    const { by, time } = life.sent;
    const where = conversationName(origin.conversation);
    const sent = `by ${await wording.person(by)} ${where} on ${localTime(time)}`;
    const answer = `message ${question.mid} ${lifeInWords(life, sent)}.`;
    return { ...about, ...(await wording.history(life)), verdict: undefined, answer };
  }
  const inquiry = await inquiryOf(parts, question, moment);
  const events = mergedStreams(parts.log, inquiry.streams, moment);
  const history = await followVerdict(inquiry, events, moment.time, maxSteps);
  const missing = inquiry.missing();
  if (missing !== undefined) throw new NotFound(missing, moment);
  const shown = await wording.history(history);
  const answer = `${await wording.person(question.uid)} ${await wording.ending(history, shown.steps.at(-1))}.`;
  return { ...about, ...shown, verdict: history.verdict, answer };
}

async function originOf({ findOrigin }: ExplainParts, mid: Mid, moment: Moment) {
  const origin = await findOrigin(mid);
  if (!origin) throw new NotFound(`message ${mid}`, moment);
  return origin;
}

async function inquiryOf(
  parts: ExplainParts,
  question: Exclude<Question, { kind: 'message' }>,
  moment: Moment,
): Promise<Inquiry> {
  const { remembersIds } = parts.log;
  switch (question.kind) {
    case 'can-speak':
      return rights.speaking(question.uid, question.gid, remembersIds);
    case 'can-send':
      return rights.sending(question.uid, question.friend, remembersIds);
    case 'friends':
      return rights.beingFriends(question.uid, question.friend, remembersIds);
    case 'member':
      return rights.membership(question.uid, question.gid, remembersIds);
    case 'manager':
      return rights.managing(question.uid, question.gid, remembersIds);
    case 'account':
      return rights.beingActive(question.uid, remembersIds);
    case 'visible':
      return visibility(await originOf(parts, question.mid, moment), question.uid, remembersIds);
    case 'unread':
      return unread(question.uid, question.chat, remembersIds);
  }
}

/** Puts a history into words: who did what on which request. */
class Wording {
  readonly #findRequest: FindRequest | undefined;
  readonly #nicknames: Nicknames;

  constructor({ log, findRequest }: ExplainParts, moment: Moment) {
    this.#findRequest = findRequest;
    this.#nicknames = new Nicknames(log, moment);
  }

  person(uid: Uid): Promise<string> {
    return this.#nicknames.person(uid);
  }

  async history({ steps, omitted }: History) {
    const events = steps.flatMap(({ cause }) => (cause.kind === 'event' ? [cause.event] : []));
    const requests = await this.#findRequest?.(events.map(({ metadata }) => metadata.$correlationId));
    const explained: ExplainedStep[] = [];
    for (const { cause, ...step } of steps) {
      explained.push({
        ...step,
        cause: cause.kind === 'time' ? cause : await this.#event(cause.event, requests),
      });
    }
    return { steps: explained, omitted };
  }

  async #event(event: Decoded, requests: Awaited<ReturnType<FindRequest>> | undefined): Promise<EventCause> {
    const { type, stream, revision, position, id, metadata } = event;
    const { $correlationId: request } = metadata;
    const beside = requests?.get(request)?.filter((other) => other.id !== id);
    const by = await this.#nicknames.actor(metadata);
    return { kind: 'event', type, stream, revision, position, id, by, request, beside };
  }

  /** The end of the answer: the verdict, since when and why, and when it ends by itself. */
  async ending({ verdict, next }: VerdictHistory, last: ExplainedStep | undefined): Promise<string> {
    const since = last
      ? `, since ${localTime(last.time)}, ${because(last.cause)}`
      : ', and never was otherwise';
    return `${verdict.words}${since}${next ? `; this ends by itself on ${localTime(next.time)}` : ''}`;
  }
}

function because(cause: ExplainedStep['cause']): string {
  return cause.kind === 'time' ? `when ${cause.what}` : `by ${cause.type} of ${cause.by}`;
}
