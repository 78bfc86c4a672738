import { z } from 'zod';
import { readJson } from '../../contracts/push/protocol.ts';
import { brokenBytes } from './broken-bytes.ts';
import { type Cast, makeCast, restoreSettings, revive } from './cast.ts';
import { bytesLine, curlLine } from './curl.ts';
import { Exchange } from './exchange.ts';
import { judge } from './judging.ts';
import { KnownIds } from './known-ids.ts';
import { Random } from './random.ts';
import type { Outcome, Request } from './request.ts';
import { makeRequest, type Sources } from './requests.ts';
import type { Run } from './run.ts';

const Answer = z.object({ code: z.int(), data: z.unknown().optional() });
const Mid = z.object({ mid: z.int() });
const Added = z.object({ uid: z.int() });
const Group = z.object({ gid: z.coerce.number() });

/** The number of its requests after which a lane resets what it has set. */
const settingsLast = 15;

/** One row of requests, each sent when the one before was answered, by people of its own. */
export class RequestLane {
  readonly #run: Run;
  readonly #name: string;
  readonly #exchange: Exchange;
  readonly #sources: Sources;
  #restoreIn = 0;
  #sent = 0;

  private constructor(run: Run, name: string, cast: Cast) {
    this.#run = run;
    this.#name = name;
    this.#exchange = new Exchange(run.program.port);
    const random = new Random(`${run.seed}/${name}`);
    this.#sources = { ...run, random, cast, known: new KnownIds() };
  }

  static async open(run: Run, name: string): Promise<RequestLane> {
    const cast = await makeCast(run.program, name, 4);
    run.secrets.add([...cast.insiders, cast.stranger]);
    return new RequestLane(run, name, cast);
  }

  get sources(): Sources {
    return this.#sources;
  }

  /** Sends this many requests, fewer if the run ends before. */
  async send(count: number): Promise<void> {
    for (let sent = 0; sent < count && !this.#run.signal.aborted; sent++) await this.#next();
  }

  close(): void {
    this.#exchange.close();
  }

  async #next(): Promise<void> {
    this.#sent++;
    if (this.#sources.random.chance(0.005)) return this.#sendBytes();
    const request = makeRequest(this.#sources);
    const undo = this.#admit(request);
    const outcome = await this.#exchange.send(request);
    if (this.#run.signal.aborted && outcome.kind !== 'answered') return;
    const code = this.#take(request, outcome);
    if (code !== 0) undo();
    await this.#maintain(request, code);
  }

  /** A person who may become a member of a group by this request may get its push before the answer arrives. */
  #admit({ call, given, caller }: Request): () => void {
    if (!/^\/group\/(memberadd|join)$/.test(call?.path ?? '')) return () => undefined;
    const uids = uidsIn([given.members, given.login_uid, caller.person?.uid]);
    return this.#run.planted.admit(numberOf(given.gid), uids);
  }

  /** Judges the outcome of a request, and keeps the ids in it. @returns the code of the answer, if it has one */
  #take(request: Request, outcome: Outcome): number | undefined {
    const { findings, answers, program, secrets } = this.#run;
    for (const fault of judge({ request, outcome }, this.#run)) {
      const said = saidIn(outcome);
      const misfit =
        outcome.kind === 'answered' ? (request.call?.misfit(readJson(outcome.body.toString())) ?? '') : '';
      const where = `lane ${this.#name}, request ${this.#sent}, by ${request.caller.kind}`;
      const line = curlLine(program.port, request, secrets.redact);
      findings.add(fault, `${line}\n  ${where}`, secrets.redact(`${said}\n  ${misfit}`));
    }
    if (outcome.kind !== 'answered') {
      answers.add(outcome.kind);
      return undefined;
    }
    const position = outcome.headers['x-position'];
    const { known } = this.#sources;
    if (typeof position === 'string' && position !== 'reset') known.add('x-position', position);
    const answer = Answer.safeParse(readJson(outcome.body.toString())).data;
    answers.add(`${outcome.status}${answer === undefined ? '' : `, code ${answer.code}`}`);
    if (answer?.code === 0) this.#learn(request, answer.data);
    return answer?.code;
  }

  #learn({ call, given, caller }: Request, data: unknown): void {
    const { known } = this.#sources;
    known.learn(data);
    if (call?.path === '/message/send') {
      const { mid } = Mid.parse(data);
      known.addChat({ id: numberOf(given.to), type: given.type === 'group' ? 'group' : 'friend', mid });
    } else if (call?.path === '/user/add' || call?.path === '/user/open_user') {
      known.add('added', Added.parse(data).uid);
    } else if (call?.path === '/group/create') {
      const { gid } = Group.parse(data);
      this.#run.planted.admit(gid, uidsIn([given.members, given.login_uid, caller.person?.uid]));
    }
  }

  /** Undoes what would make most further requests be refused early. */
  async #maintain({ call, caller }: Request, code: number | undefined): Promise<void> {
    if (call?.path === '/setting/update' && code === 0) this.#restoreIn = settingsLast;
    const isDue = this.#restoreIn > 0 && --this.#restoreIn === 0;
    const mustRevive = caller.kind === 'person' && (code === -1 || code === 85);
    try {
      if (isDue) await restoreSettings(this.#run.program);
      if (mustRevive && caller.person) await revive(this.#run.program, caller.person);
    } catch {
      // Another lane has just set what refuses this: it comes up again with the next request.
    }
  }

  /** Sends what is no HTTP request. */
  async #sendBytes(): Promise<void> {
    const { findings, answers, program, secrets, signal } = this.#run;
    const bytes = brokenBytes(this.#sources.random, program.key);
    const outcome = await this.#exchange.sendBytes(bytes);
    answers.add(
      outcome.kind === 'answered' ? `${outcome.status}, to broken bytes` : `${outcome.kind}, broken bytes`,
    );
    const fault =
      outcome.kind === 'hanging'
        ? 'a connection was left hanging'
        : outcome.kind === 'answered' && outcome.status >= 500 && outcome.status !== 503
          ? `an answer has the status ${outcome.status}`
          : undefined;
    if (fault !== undefined && !signal.aborted) {
      findings.add(fault, bytesLine(program.port, bytes, secrets.redact));
    }
  }
}

function saidIn(outcome: Outcome): string {
  if (outcome.kind === 'hanging') return 'no answer came';
  return outcome.kind === 'cut' ? outcome.why : outcome.body.toString().slice(0, 600);
}

/** The uids of people, one or a list of them, however they are written. */
function uidsIn(values: readonly unknown[]): number[] {
  return values.flat().map(numberOf);
}

/** A number, or the digits of one; NaN for what is neither. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
}
