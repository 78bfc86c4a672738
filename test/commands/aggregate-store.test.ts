import { describe, expect, it } from 'vitest';
import { AggregateStore } from '../../services/commands/aggregate-store.ts';
import { userStream } from '../../services/domain/user.ts';
import type { EventLog } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { skipStream } from '../../services/log/skips.ts';
import { registered } from '../support/events.ts';
import { append, freshUid, named, useAggregateStore } from './aggregate-store-harness.ts';

const world = useAggregateStore();

describe('loading', () => {
  it('returns the initial state of a stream without events', async () => {
    const { state, revision, position } = await world.store.load(userStream(freshUid()));
    expect({ state, revision, position }).toEqual({ state: null, revision: -1, position: '' });
  });

  it('folds the events of the stream, and returns the last revision and position', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    const last = await append(world.log, named(who, '乙'));
    const { state, revision, position } = await world.store.load(userStream(who));
    expect(state?.nickname).toBe('乙');
    expect(revision).toBe(1);
    expect(last).toMatchObject({ outcome: 'appended', position });
  });

  it('reads a stream once for fifty concurrent loads and later ones', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    await Promise.all(Array.from({ length: 50 }, () => world.store.load(userStream(who))));
    await world.store.load(userStream(who));
    expect(world.readings).toBe(1);
  });

  it('reads the stream again after a read that failed', async () => {
    const closing = await openPostgresLog({ connectionString: world.url });
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    let broken = true;
    const breaking: EventLog = {
      ...world.counting(closing),
      async *readStream(...parameters) {
        if (broken && parameters[0] !== skipStream) throw new Error('the connection broke');
        yield* closing.readStream(...parameters);
      },
    };
    const other = new AggregateStore(breaking, (error) => world.failures.push(error));
    await other.start();
    await expect(other.load(userStream(who))).rejects.toThrow('broke');
    broken = false;
    expect((await other.load(userStream(who))).state?.nickname).toBe('甲');
    await other.stop();
    await closing.close();
  });

  it('peeks only at states in memory', async () => {
    const who = freshUid();
    await append(world.log, registered(who, '甲'));
    expect(world.store.peek(userStream(who))).toBeUndefined();
    const loading = world.store.load(userStream(who));
    expect(world.store.peek(userStream(who))).toBeUndefined();
    await loading;
    expect(world.store.peek(userStream(who))?.nickname).toBe('甲');
    expect(world.readings).toBe(1);
  });
});
