import { afterAll, describe, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { createTokens, type Tokens } from '../../services/accounts/tokens.ts';
import type { Bus, Signal } from '../../services/bus/bus.ts';
import { memoryBus } from '../../services/bus/memory.ts';
import { sessionsTopic } from '../../services/bus/topics.ts';
import { openAccounts, silent } from '../support/accounts.ts';

const accounts = await openAccounts();
const bus = memoryBus(silent);
const opened: Tokens[] = [];
afterAll(async () => {
  await Promise.all(opened.map((tokens) => tokens.close()));
  await bus.close();
  await accounts.close();
});

/** One process. Those on one bus hear each other; `time` is moved by hand. */
function startProcess(on: Bus = bus) {
  const clock = { time: 0 };
  const tokens = createTokens({
    database: accounts.database,
    bus: on,
    logger: silent,
    now: () => clock.time,
  });
  opened.push(tokens);
  return { tokens, clock };
}

let people = 0;
async function register(): Promise<{ uid: Uid; passwordHash: string }> {
  const uid = Uid.parse(++people);
  await accounts.pool.query(
    `insert into accounts.accounts (uid, username, username_key, number_id, password_hash, registered)
     values ($1, $2, $2, $1, 'hash', true)`,
    [uid, `person${uid}`],
  );
  return { uid, passwordHash: 'hash' };
}

async function setIdle(uid: Uid, interval: string): Promise<void> {
  await accounts.pool.query('update accounts.tokens set used = now() - $2::interval where uid = $1', [
    uid,
    interval,
  ]);
}

/** Counts how often the database is asked while the work is done. */
async function queriesOf(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const onAcquire = () => count++;
  accounts.pool.on('acquire', onAcquire);
  await work();
  accounts.pool.off('acquire', onAcquire);
  return count;
}

describe('a token', () => {
  test('is 256 random bits, good in every process, and kept as a hash alone', async () => {
    const amy = await register();
    const { token, tokenHash } = await startProcess().tokens.issue(amy);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    expect(await startProcess().tokens.verify(token, 30)).toEqual({ uid: amy.uid, tokenHash });
    const { rows } = await accounts.pool.query('select * from accounts.tokens where uid = $1', [amy.uid]);
    expect(rows[0].hash.toString('hex')).toBe(tokenHash);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test('that was never given is nobody’s', async () => {
    const { tokens } = startProcess();
    for (const token of ['', 'x', 'a'.repeat(43), 'a'.repeat(10_000), '\0', '令牌']) {
      expect(await tokens.verify(token, 30)).toBeUndefined();
    }
  });

  test('lives so many days after its last use, as the setting says at the time', async () => {
    const bob = await register();
    const { token } = await startProcess().tokens.issue(bob);
    await setIdle(bob.uid, '10 days 1 minute');
    const { tokens } = startProcess();
    expect(await tokens.verify(token, 10)).toBeUndefined();
    expect(await tokens.verify(token, 11)).toMatchObject({ uid: bob.uid });
  });

  test('lives on by its use, which is noted once an hour at most', async () => {
    const carl = await register();
    const { token } = await startProcess().tokens.issue(carl);
    const idleMinutes = async () => {
      const { rows } = await accounts.pool.query(
        'select extract(epoch from now() - used)::float8 / 60 as idle from accounts.tokens where uid = $1',
        [carl.uid],
      );
      return rows[0].idle;
    };
    const useOnce = async () => {
      const { tokens } = startProcess();
      await tokens.verify(token, 30);
      await tokens.close();
    };
    await setIdle(carl.uid, '59 minutes');
    await useOnce();
    expect(await idleMinutes()).toBeGreaterThan(58);
    await setIdle(carl.uid, '61 minutes');
    await useOnce();
    expect(await idleMinutes()).toBeLessThan(1);
  });
});

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

  test('is told to whoever holds sockets: the token, or the user', async () => {
    const greta = await register();
    const { tokens } = startProcess();
    const { tokenHash } = await tokens.issue(greta);
    const heard: Signal[] = [];
    const stop = bus.onSignal(sessionsTopic, (signal) => heard.push(signal));
    await tokens.end(tokenHash);
    await tokens.endAll(greta.uid);
    await expect
      .poll(() => heard)
      .toEqual([
        { kind: 'token ended', token: tokenHash },
        { kind: 'user ended', uid: greta.uid },
      ]);
    stop();
  });

  test('comes for the one that was not used for longest, if a person logs in with 1,000 others', async () => {
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

  test('leaves the tokens where what goes with it fails', async () => {
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

  test('reaches a process that does not hear of it within five seconds', async () => {
    const ida = await register();
    const here = startProcess();
    const deaf = startProcess(memoryBus(silent));
    const { token, tokenHash } = await here.tokens.issue(ida);
    expect(await deaf.tokens.verify(token, 30)).toBeDefined();
    await here.tokens.end(tokenHash);
    deaf.clock.time += 5000;
    expect(await deaf.tokens.verify(token, 30)).toBeUndefined();
  });

  test('reaches a process whose bus was interrupted at once', async () => {
    const jack = await register();
    const hearers: (() => void)[] = [];
    const interrupted = memoryBus(silent);
    interrupted.onInterruption = (hear) => {
      hearers.push(hear);
      return () => {};
    };
    const { tokens } = startProcess(interrupted);
    const here = startProcess();
    const { token, tokenHash } = await here.tokens.issue(jack);
    expect(await tokens.verify(token, 30)).toBeDefined();
    await here.tokens.end(tokenHash);
    for (const hear of hearers) hear();
    expect(await tokens.verify(token, 30)).toBeUndefined();
  });
});

describe('verifying', () => {
  test('asks the database once for ten thousand looks at one token', async () => {
    const kim = await register();
    const { tokens } = startProcess();
    const { token } = await tokens.issue(kim);
    const queries = await queriesOf(async () => {
      await Promise.all(Array.from({ length: 5000 }, () => tokens.verify(token, 30)));
      for (let count = 0; count < 5000; count++) await tokens.verify(token, 30);
    });
    expect(queries).toBeLessThan(3);
  });

  test('asks a few times for five hundred tokens at once', async () => {
    const lara = await register();
    const { tokens } = startProcess();
    const issued = await Promise.all(Array.from({ length: 500 }, () => tokens.issue(lara)));
    const queries = await queriesOf(async () => {
      const owners = await Promise.all(issued.map(({ token }) => tokens.verify(token, 30)));
      expect(new Set(owners.map((owner) => owner?.tokenHash)).size).toBe(500);
    });
    expect(queries).toBeLessThan(10);
  });

  test('looks again in the background while the old answer still serves', async () => {
    const maria = await register();
    const { tokens, clock } = startProcess();
    const { token } = await tokens.issue(maria);
    await tokens.verify(token, 30);
    await accounts.pool.query('delete from accounts.tokens where uid = $1', [maria.uid]);
    clock.time = 3999;
    expect(await queriesOf(() => tokens.verify(token, 30))).toBe(0);
    clock.time = 4000;
    expect(await tokens.verify(token, 30)).toMatchObject({ uid: maria.uid });
    await expect.poll(() => tokens.verify(token, 30)).toBeUndefined();
  });
});
