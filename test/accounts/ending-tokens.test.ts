import { describe, expect, test } from 'vitest';
import type { Signal } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { sessionsTopic } from '../../services/bus/topics.ts';
import { silent } from '../support/accounts.ts';
import { accounts, bus, register, setIdle, startProcess } from './tokens-harness.ts';

describe('ending', () => {
  test('one token ends it in every process at once, and no other', async () => {
    const doris = await register();
    const [here, there] = [startProcess().tokens, startProcess().tokens];
    const [one, other] = [await here.issue(doris), await here.issue(doris)];
    for (const tokens of [here, there]) expect(await tokens.verify(one.token, 30)).toBeDefined();
    await here.end(one.tokenHash);
    expect(await here.verify(one.token, 30)).toBeUndefined();
    await expect.poll(() => there.verify(one.token, 30)).toBeUndefined();
    for (const tokens of [here, there]) expect(await tokens.verify(other.token, 30)).toBeDefined();
  });

  test('all of a user ends them in every process at once, and nobody else’s', async () => {
    const [eve, frank] = [await register(), await register()];
    const [here, there] = [startProcess().tokens, startProcess().tokens];
    const ended = [await here.issue(eve), await there.issue(eve)];
    const kept = await here.issue(frank);
    for (const { token } of [...ended, kept]) {
      expect(await here.verify(token, 30)).toBeDefined();
      expect(await there.verify(token, 30)).toBeDefined();
    }
    await here.endAll(eve.uid);
    for (const { token } of ended) {
      expect(await here.verify(token, 30)).toBeUndefined();
      await expect.poll(() => there.verify(token, 30)).toBeUndefined();
    }
    for (const tokens of [here, there]) expect(await tokens.verify(kept.token, 30)).toBeDefined();
  });

  test('is signalled to those who hold sockets: the token, or the user', async () => {
    const greta = await register();
    const { tokens } = startProcess();
    const { tokenHash } = await tokens.issue(greta);
    const received: Signal[] = [];
    const stop = bus.onSignal(sessionsTopic, (signal) => received.push(signal));
    await tokens.end(tokenHash);
    await tokens.endAll(greta.uid);
    await expect
      .poll(() => received)
      .toEqual([
        { kind: 'token ended', token: tokenHash },
        { kind: 'user ended', uid: greta.uid },
      ]);
    stop();
  });

  test('ends the least recently used token if a person with 1,000 others logs in', async () => {
    const [ivy, jack] = [await register(), await register()];
    const [here, there] = [startProcess().tokens, startProcess().tokens];
    const [oldest, other] = [await here.issue(ivy), await here.issue(jack)];
    await setIdle(ivy.uid, '20 minutes');
    await setIdle(jack.uid, '30 minutes');
    await accounts.pool.query(
      `insert into accounts.tokens (hash, uid, used)
       select sha256(convert_to('ivy ' || number, 'UTF8')), $1, now() - interval '10 minutes'
         from generate_series(1, 998) number`,
      [ivy.uid],
    );
    const last = await here.issue(ivy);
    expect(await there.verify(oldest.token, 30)).toBeDefined();
    const newest = await here.issue(ivy);
    expect(await here.verify(oldest.token, 30)).toBeUndefined();
    await expect.poll(() => there.verify(oldest.token, 30)).toBeUndefined();
    for (const { token } of [last, newest, other]) expect(await there.verify(token, 30)).toBeDefined();
  });

  test('leaves the tokens if the work in the same transaction fails', async () => {
    const hans = await register();
    const { tokens } = startProcess();
    const { token } = await tokens.issue(hans);
    await expect(
      tokens.endAll(hans.uid, async () => {
        throw new Error('it failed');
      }),
    ).rejects.toThrow('it failed');
    expect(await startProcess().tokens.verify(token, 30)).toBeDefined();
  });

  test('reaches a process within five seconds that does not receive the signal', async () => {
    const ida = await register();
    const here = startProcess();
    const unreached = startProcess(memoryBus(silent));
    const { token, tokenHash } = await here.tokens.issue(ida);
    expect(await unreached.tokens.verify(token, 30)).toBeDefined();
    await here.tokens.end(tokenHash);
    unreached.clock.time += 5000;
    expect(await unreached.tokens.verify(token, 30)).toBeUndefined();
  });

  test('reaches a process whose bus was interrupted at once', async () => {
    const jack = await register();
    const listeners: (() => void)[] = [];
    const interrupted = memoryBus(silent);
    interrupted.onInterruption = (listener) => {
      listeners.push(listener);
      return () => {};
    };
    const { tokens } = startProcess(interrupted);
    const here = startProcess();
    const { token, tokenHash } = await here.tokens.issue(jack);
    expect(await tokens.verify(token, 30)).toBeDefined();
    await here.tokens.end(tokenHash);
    for (const listener of listeners) listener();
    expect(await tokens.verify(token, 30)).toBeUndefined();
  });
});
