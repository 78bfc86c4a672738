import { z } from 'zod';
import { callAsServer } from '../bench/people.ts';
import { type Person, revive } from './cast.ts';
import { judgeClosing, judgeFrame } from './frame-judging.ts';
import { type FrameSources, sendFrame } from './frames.ts';
import { FuzzSocket } from './fuzz-socket.ts';
import { secretFaults } from './judging.ts';
import type { RequestLane } from './request-lane.ts';
import type { Sources } from './requests.ts';
import type { Run } from './run.ts';

/** The number of frames after which requests are sent and the sockets are checked. */
const framesInARow = 20;
const requestsBetween = 10;

/** A gateway has to answer within this time, in milliseconds. */
const patienceMs = 20_000;

/** One row of frames on sockets of its people, beside requests that cause events. */
export class FrameLane {
  readonly #run: Run;
  readonly #requests: RequestLane;
  readonly #sources: Sources;
  /** By the person of the socket: each insider, the stranger, nobody. */
  readonly #sockets: FuzzSocket[] = [];
  /** Who waits for events on a socket. */
  readonly #listeners = new Map<FuzzSocket, (event: string) => void>();
  /** The last frame sent on a socket; before the first one, how it was opened. */
  readonly #last = new Map<FuzzSocket, string>();

  constructor(run: Run, requests: RequestLane) {
    this.#run = run;
    this.#requests = requests;
    this.#sources = requests.sources;
  }

  /** Sends this many frames, fewer if the run ends before. */
  async send(count: number): Promise<void> {
    const { cast, random } = this.#sources;
    await this.#talk();
    const people = [...cast.insiders, cast.stranger, undefined];
    for (const person of people) this.#sockets.push(await this.#open(person));
    for (let sent = 0; sent < count && !this.#run.signal.aborted; sent++) {
      const place = random.integer(0, this.#sockets.length - 1);
      const socket = this.#sockets[place];
      if (socket === undefined) break;
      if (!socket.isOpen) this.#sockets[place] = await this.#reopen(socket);
      await this.#send(this.#sockets[place] ?? socket);
      if (sent % framesInARow === 0) await this.#between();
    }
    for (const socket of this.#sockets) socket.end();
  }

  async #send(socket: FuzzSocket): Promise<void> {
    const sources: FrameSources = {
      ...this.#sources,
      key: this.#run.program.key,
      sign: (path, parameters) => this.#sign(path, parameters, socket.person),
    };
    const [kind, text] = await sendFrame(sources, socket);
    this.#last.set(socket, `${kind}: ${text.slice(0, 500)}`);
    this.#run.sentFrames.add(kind);
  }

  async #between(): Promise<void> {
    await this.#requests.send(requestsBetween);
    await this.#talk();
    await Promise.all(this.#sockets.map((socket) => this.#look(socket)));
  }

  /** Two people talk, and a group: what the others on the sockets must not receive. */
  async #talk(): Promise<void> {
    const { cast, planted, known, random } = this.#sources;
    const [one, other, third] = cast.insiders;
    if (!one || !other || !third) return;
    const send = (to: number, type: string, content: string) =>
      callAsServer(this.#run.program, '/message/send', { login_uid: one.uid, to, type, content });
    try {
      if (known.pick('gid', random) === undefined) {
        const group = { login_uid: one.uid, members: [other.uid, third.uid] };
        const data = await callAsServer(this.#run.program, '/group/create', group);
        const { gid } = z.object({ gid: z.coerce.number() }).parse(data);
        planted.admit(gid, [one.uid, other.uid, third.uid]);
        known.add('gid', gid);
      }
      await send(other.uid, 'friend', planted.forTwo(one.uid, other.uid));
      const gid = Number(known.pick('gid', random));
      await send(gid, 'group', planted.forGroup(gid));
    } catch {
      // A request has muted, disabled or dissolved something: the others go on.
    }
  }

  /** Whether a socket still answers, or was closed. */
  async #look(socket: FuzzSocket): Promise<void> {
    if (!socket.isOpen) return;
    let isAnswered = false;
    const listener = this.#listeners.get(socket);
    this.#listeners.set(socket, (event) => {
      listener?.(event);
      isAnswered ||= event === 'pusher:pong';
    });
    socket.text('{"event":"pusher:ping","data":{}}');
    // A socket that has sent too much, or something broken, is closed instead.
    if (!(await socket.until(() => isAnswered, patienceMs)) && !socket.broken)
      this.#found(socket, 'a socket was left hanging');
    if (listener) this.#listeners.set(socket, listener);
  }

  async #reopen(socket: FuzzSocket): Promise<FuzzSocket> {
    if (!(await socket.until(() => false, patienceMs))) this.#found(socket, 'a socket was left hanging');
    const fault = socket.closing && !socket.broken ? judgeClosing(socket.closing) : undefined;
    if (fault !== undefined) this.#found(socket, fault);
    if (socket.closing) this.#run.receivedFrames.add(`closed with ${socket.closing.code}`);
    this.#last.delete(socket);
    this.#listeners.delete(socket);
    socket.end();
    // Its token may have been ended.
    if (socket.closing?.code === 4009 && socket.person) {
      await revive(this.#run.program, socket.person).catch(() => undefined);
    }
    return this.#open(socket.person);
  }

  async #open(person: Person | undefined): Promise<FuzzSocket> {
    const { random, known } = this.#sources;
    const { key, port } = this.#run.program;
    const tokenless = person === undefined || random.chance(0.3);
    const query = new URLSearchParams({
      protocol: random.pick(['7', '7', '5', 'x']),
      ...(!tokenless && { token: person.token }),
      ...(random.chance(0.2) && { since: String(known.pick('position', random) ?? 'x') }),
    });
    const path = random.weighted({ right: 40, prefixed: 4, wrongKey: 1, noPath: 1, endedToken: 1 });
    const where = {
      right: `/app/${key}?${query}`,
      prefixed: `/a/b/app/${key}?${query}`,
      wrongKey: `/app/${key}x?${query}`,
      noPath: `/nothing?${query}`,
      endedToken: `/app/${key}?token=ended`,
    }[path];
    const socket: FuzzSocket = new FuzzSocket(port, where, person, (text) => this.#receive(socket, text));
    this.#last.set(socket, `opened: ${path}`);
    if (!(await socket.until(() => socket.id !== undefined, patienceMs))) {
      this.#found(socket, 'a socket was left hanging');
    }
    // What was refused at once is not fuzzed: it is opened in the right way next time.
    if (socket.id === undefined) {
      socket.broken = true;
      this.#run.receivedFrames.add(`refused at opening (${path})`);
    }
    return socket;
  }

  #receive(socket: FuzzSocket, text: string): void {
    const { event, fault } = judgeFrame(text);
    this.#run.receivedFrames.add(event);
    if (fault !== undefined) this.#found(socket, fault, text);
    for (const found of secretFaults(text, 'person', socket.person?.uid, this.#run)) {
      this.#found(socket, found.replace('an answer', 'a frame'), text);
    }
    const position = /\\"position\\":\\"([^"\\]+)/.exec(text)?.[1];
    if (position !== undefined) this.#sources.known.add('position', position);
    this.#listeners.get(socket)?.(event);
  }

  async #sign(
    path: string,
    parameters: Readonly<Record<string, string>>,
    person: Person | undefined,
  ): Promise<object | undefined> {
    const answer = await fetch(`http://127.0.0.1:${this.#run.program.port}${path}`, {
      method: 'POST',
      headers: person === undefined ? {} : { authorization: `Bearer ${person.token}` },
      body: new URLSearchParams(parameters),
    }).catch(() => undefined);
    const signed = z.looseObject({}).safeParse(await answer?.json().catch(() => undefined)).data;
    return answer?.ok ? signed : undefined;
  }

  #found(socket: FuzzSocket, kind: string, text = ''): void {
    if (this.#run.signal.aborted) return;
    const { secrets, findings } = this.#run;
    const who = socket.person === undefined ? 'nobody' : `uid ${socket.person.uid}`;
    const cause = `the socket of ${who}; its last frame: ${this.#last.get(socket) ?? '?'}`;
    const closing = socket.closing ? `closed with ${socket.closing.code} ${socket.closing.reason}` : '';
    findings.add(kind, secrets.redact(cause), secrets.redact(`${closing} ${text.slice(0, 600)}`));
  }
}
