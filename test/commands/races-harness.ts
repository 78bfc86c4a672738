import { afterAll, beforeAll } from 'vitest';
import { Refusal } from '../../contracts/codes.ts';
import type { DomainEvent } from '../../contracts/events/index.ts';
import type { Gid, Uid } from '../../contracts/ids.ts';
import type { Application } from '../../services/api/application.ts';
import { execute } from '../../services/commands/execute.ts';
import { type GroupState, groupStream } from '../../services/domain/group.ts';
import * as groups from '../../services/domain/group-commands.ts';
import { decode } from '../../services/log/codec.ts';
import type { StreamName } from '../../services/log/log.ts';
import { context, register } from '../support/acting.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { gid } from '../support/events.ts';

/** How often each race is run. */
export const rounds = 8;

let lastGid = 2_000;

/**
 * Starts two applications on one log, for all tests of a file: what people do at the same time through both must
 * have the outcome of some order of their actions.
 */
export function useTwoApplications() {
  let running: RunningApplication;
  let here: Application;
  let there: Application;

  beforeAll(async () => {
    running = await startApplication();
    here = running.application;
    there = await running.another();
  });

  afterAll(() => running.stop());

  return {
    get running() {
      return running;
    },
    get here() {
      return here;
    },
    get there() {
      return there;
    },

    person: () => register(here, '人'),

    async eventsOf(stream: StreamName): Promise<DomainEvent[]> {
      const events: DomainEvent[] = [];
      for await (const record of here.log.readStream(stream)) events.push(decode(record));
      return events;
    },

    async groupOf(owner: Uid, ...members: Uid[]): Promise<Gid> {
      const id = gid(++lastGid);
      const mid = await here.ids.nextMid();
      await execute(here, groupStream(id), context(owner), (state) =>
        groups.createGroup(state, { gid: id, owner, members, mid }),
      );
      await running.shown();
      return id;
    },
  };
}

/** `done`, or the reason of the refusal. */
export async function outcome(command: Promise<unknown>): Promise<string> {
  try {
    await command;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

export async function change(
  on: Application,
  group: Gid,
  decide: (state: GroupState) => ReturnType<typeof groups.dissolveGroup>,
) {
  return execute(on, groupStream(group), context('server'), decide);
}
