import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { Company } from '../support/chatting.ts';
import { History } from './unread-history.ts';

/* After any history the running numbers equal a count one by one. */

let running: RunningApplication;

beforeAll(async () => {
  running = await startApplication();
});

afterAll(() => running.stop());

const howMany = 4;
const who = fc.nat({ max: howMany - 1 });

/** The other person; one's own index means the group. */
const whom = fc.nat({ max: howMany - 1 });
const back = fc.nat({ max: 5 });

type Does = (act: History) => Promise<void>;

/** A step with a name for the message of a failed history. */
function does<Given>(
  weight: number,
  name: string,
  given: fc.Arbitrary<Given>,
  act: (history: History, given: Given) => Promise<void>,
): { weight: number; arbitrary: fc.Arbitrary<Does> } {
  const named = (values: Given): Does =>
    Object.assign((history: History) => act(history, values), {
      [fc.toStringMethod]: () => `${name} ${fc.stringify(values)}`,
    });
  return { weight, arbitrary: given.map(named) };
}

const pair = fc.tuple(who, whom);
const takings = fc.constantFrom('revoke' as const, 'delete for self' as const, 'delete for all' as const);

const step: fc.Arbitrary<Does> = fc.oneof(
  does(12, 'say', pair, (act, [one, to]) => act.say(one, to)),
  does(3, 'get', fc.tuple(who, whom, fc.integer({ min: 1, max: 4 })), (act, given) => act.get(...given)),
  does(2, 'read all', pair, (act, [one, to]) => act.readAll(one, to)),
  does(2, 'read until', fc.tuple(who, whom, back), (act, given) => act.readUntil(...given)),
  does(1, 'mark', fc.tuple(who, whom, fc.integer({ min: 1, max: 3 })), (act, given) => act.mark(...given)),
  does(5, 'take', fc.tuple(takings, who, whom, back), (act, given) => act.take(...given)),
  does(2, 'hide', pair, (act, [one, to]) => act.hide(one, to)),
  does(1, 'show', pair, (act, [one, to]) => act.show(one, to)),
  does(4, 'come', fc.tuple(who, fc.boolean()), (act, [one, invited]) => act.come(one, invited)),
  does(2, 'go', fc.tuple(who, fc.boolean()), (act, [one, removed]) => act.go(one, removed)),
  does(1, 'mute all', fc.boolean(), (act, on) => act.muteAll(on)),
  does(1, 'ask and agree', pair, (act, [one, to]) => act.askAndAgree(one, to)),
  does(1, 'unfriend', pair, (act, [one, to]) => act.unfriend(one, to)),
  // Many things happen within one second.
  does(3, 'tick', fc.constant(1), (act, seconds) => act.tick(seconds)),
);

describe('what is unread', () => {
  it('equals a count one by one, after any history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const history = new History(await Company.meet(running, howMany));
        for (const act of steps) await act(history);
        await history.check(running.application.database);
      }),
      { numRuns: 25, interruptAfterTimeLimit: 15_000 },
    );
  }, 60_000);
});
