import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Chat, conversationOf } from '../../../contracts/chat.ts';
import type { Position } from '../../../services/log/log.ts';
import { readPage } from '../../../services/queries/history.ts';
import { findReading } from '../../../services/queries/reading.ts';
import { countUnread } from '../../../services/queries/unread.ts';
import { type RunningApplication, startApplication } from '../../support/application.ts';
import { gid, uid } from '../../support/events.ts';
import { explained, momentAfterPosition } from '../../support/explaining.ts';
import { Callers, type RandomCall, randomCalls } from '../../support/random-calls.ts';

/*
 * What explaining a past moment says is what the API said at that moment: of a random history, answers are
 * noted as they are given, and each is asked for afterwards.
 */

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

interface Noted {
  readonly position: Position;
  readonly question: string;
  readonly value: boolean | number;
  readonly code?: number | undefined;
}

async function explainedNow({ position, question }: Noted): Promise<Noted> {
  const moment = await momentAfterPosition(running, position);
  const { verdict } = await explained(running, question, { moment });
  if (!verdict) throw new Error(`${question} has no verdict`);
  return { position, question, value: verdict.value, code: verdict.refusal?.code };
}

/** Who a call is about, and in which chat. */
function chatOf(callers: Callers, { who, whom }: RandomCall) {
  const me = uid(callers.person(who).uid);
  const chat: Chat =
    who === whom
      ? { type: 'group', id: gid(callers.gid) }
      : { type: 'friend', id: uid(callers.person(whom).uid) };
  return { me, chat };
}

/** What a sending was answered is what the question says of the moment before it. */
function noteSending(callers: Callers, call: RandomCall, code: number, position: Position): Noted[] {
  // The quoted message is read after the right to send is checked.
  if (code === 404) return [];
  const { me, chat } = chatOf(callers, call);
  const question = `can-${chat.type === 'group' ? 'speak' : 'send'} ${me} ${chat.type} ${chat.id}`;
  return [{ position, question, value: code === 0, code: code === 0 ? undefined : code }];
}

async function noteReading(callers: Callers, call: RandomCall): Promise<Noted[]> {
  const { database, log } = running.application;
  const position = await log.end();
  const { me, chat } = chatOf(callers, call);
  const conversation = conversationOf(me, chat);
  const unread = await countUnread(database, me, conversation);
  const notes: Noted[] = [{ position, question: `unread ${me} ${chat.type} ${chat.id}`, value: unread }];
  const reading = await findReading(database, me, conversation);
  const after = reading?.from ?? Number.MAX_SAFE_INTEGER;
  const page = await readPage(database, { reader: me, conversation, after, before: null, limit: 1_000 });
  const shown = page.flatMap(({ message }) => (message.sub_type === 'message' ? [message.mid] : []));
  const sent = callers.midsOf(call).at(-1 - call.back);
  if (sent !== undefined) {
    notes.push({ position, question: `visible ${sent} to ${me}`, value: shown.includes(sent) });
  }
  return notes;
}

test('what was unread, readable and allowed at each moment of a random history is explained as it was', async () => {
  await fc.assert(
    fc.asyncProperty(randomCalls, async (calls) => {
      const callers = await Callers.meet(running);
      const noted: Noted[] = [];
      for (const call of calls) {
        const before = await running.application.log.end();
        const answer = await callers.make(call);
        if (call.what === 'send') noted.push(...noteSending(callers, call, answer.code, before));
        noted.push(...(await noteReading(callers, call)));
      }
      for (const note of noted) expect(await explainedNow(note)).toEqual(note);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});
