import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ConversationId, Mid, Uid } from '../../contracts/ids.ts';
import type { memoryBus } from '../../services/bus/memory.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { encode } from '../../services/log/codec.ts';
import type { EventId, EventLog } from '../../services/log/log.ts';

/** What messages are sent over; a projector announces on the bus what it has committed. */
export interface SendingGround {
  readonly log: EventLog;
  readonly bus: ReturnType<typeof memoryBus>;
  /** The variables by which a command finds log and database. */
  readonly environment: NodeJS.ProcessEnv;
}

/** How many messages a second are sent and shown. */
export interface Sent {
  readonly alone: number;
  readonly whileRebuilding: number;
  /** Whether the rebuild went on for longer than the sending. */
  readonly longer: boolean;
}

/** Sends for `seconds`, then again while another process makes the read models again. */
export async function sendBesideRebuild(
  ground: SendingGround,
  senders: number,
  seconds: number,
): Promise<Sent> {
  const alone = await send(ground, senders, seconds);
  const child = rebuildIn(ground.environment);
  const whileRebuilding = await send(ground, senders, seconds, child);
  const longer = child.exitCode === null;
  child.kill('SIGINT');
  if (child.exitCode === null) await once(child, 'exit');
  return { alone, whileRebuilding, longer };
}

function rebuildIn(env: NodeJS.ProcessEnv): ChildProcess {
  const script = join(import.meta.dirname, '../rebuild.ts');
  return spawn(process.execPath, [script], { env, stdio: 'ignore' });
}

/** Mids that the history does not have. */
let lastMid = 2 ** 40;

/** How many messages a second are appended and shown, until the time is over or `beside` has ended. */
async function send(
  { log, bus }: SendingGround,
  senders: number,
  seconds: number,
  beside?: ChildProcess,
): Promise<number> {
  let shown = '';
  const waiting = new Set<() => void>();
  const stop = bus.onTick(({ checkpoint }) => {
    shown = checkpoint;
    for (const wake of waiting) wake();
    waiting.clear();
  });
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  let sent = 0;
  await Promise.all(
    Array.from({ length: senders }, async (_, index) => {
      const [from, to] = [1 + 2 * index, 2 + 2 * index];
      const conversation = ConversationId.parse(`f${from}-${to}`);
      while (performance.now() < until && (beside === undefined || beside.exitCode === null)) {
        const mid = Mid.parse(++lastMid);
        const data = { conversation, from: Uid.parse(from), mid, content: 'a message of a usual length' };
        const metadata = {
          time: Date.now(),
          actor: `${from}`,
          $correlationId: 'bench',
          $causationId: 'bench',
        };
        const event = encode(crypto.randomUUID() as EventId, { type: 'MessageSent', data }, metadata);
        const result = await log.append(streamName(`conversation-${conversation}`), 'any', [event]);
        if (result.outcome !== 'appended') throw new Error(result.outcome);
        while (shown < result.position) await new Promise<void>((resolve) => waiting.add(resolve));
        sent++;
      }
    }),
  );
  stop();
  return sent / ((performance.now() - begun) / 1_000);
}
