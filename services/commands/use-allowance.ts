import type { Uid } from '../../contracts/ids.ts';
import {
  type AllowanceName,
  allowanceStream,
  allowances,
  useAllowance as decide,
} from '../domain/allowance.ts';
import { settingStream } from '../domain/setting.ts';
import type { EventLog } from '../log/log.ts';
import type { AggregateStore } from './aggregate-store.ts';
import { type CommandContext, seconds } from './context.ts';
import { execute } from './execute.ts';

/**
 * Uses an allowance of a person before the action that it allows. The count is in the log, so it survives restarts
 * and is the same for all processes. An action that fails afterwards has used it too.
 * @throws Refusal tooOften, whose msg says when to try again
 */
export async function useAllowance(
  parts: { readonly log: EventLog; readonly store: AggregateStore },
  uid: Uid,
  name: AllowanceName,
  context: CommandContext,
  count = 1,
): Promise<void> {
  if (count === 0 || (context.actor === 'server' && !allowances[name].server)) return;
  const { state: settings } = await parts.store.load(settingStream);
  await execute(parts, allowanceStream(uid), context, (state) =>
    decide(state, { uid, name, count, settings, now: seconds(context) }),
  );
}
