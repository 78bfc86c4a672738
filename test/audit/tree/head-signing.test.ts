import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { type Logger, pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { history } from '../../../scripts/seed/history.ts';
import type { Auditor } from '../../../services/audit/auditor.ts';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { makeIndexAgain } from '../../../services/audit/index/make-again.ts';
import { HeadFile } from '../../../services/audit/tree/head-file.ts';
import { type HeadReceiver, HeadSender } from '../../../services/audit/tree/head-sender.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { type Head, Heads, openHead, signHead } from '../../../services/audit/tree/heads.ts';
import { keptHeadsIn } from '../../../services/audit/tree/kept-heads.ts';
import {
  isSignedBy,
  type NoteSigner,
  type NoteVerifier,
  readNote,
  signingKey,
  verifierOf,
} from '../../../services/audit/tree/note.ts';
import { Contradiction, OwnTree } from '../../../services/audit/tree/own-tree.ts';
import { treeConsumer } from '../../../services/audit/tree/tree-consumer.ts';
import { TreeStore } from '../../../services/audit/tree/tree-store.ts';
import { Witness } from '../../../services/audit/tree/witness.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { silent } from '../../support/projecting.ts';
import { startWitness } from '../../support/witness.ts';

const [[, openPostgres]] = auditedLogs;

function newSigner(name = 'bubble-im/test'): NoteSigner {
  return { name, key: signingKey(randomBytes(32)) };
}

/** A log with an auditor that makes its tree. */
interface Signed {
  readonly audited: AuditedLog;
  readonly pool: Pool;
  readonly auditor: Auditor;
  readonly tree: OwnTree;
  sign(signer: NoteSigner, receiver?: HeadReceiver, logger?: Logger): HeadSigning;
}

async function start(open = openPostgres): Promise<Signed> {
  const audited = await open();
  const pool = new Pool({ connectionString: audited.url });
  // The tests end connections from outside.
  pool.on('error', () => undefined);
  const parts: { stop(): Promise<void> }[] = [];
  onTestFinished(async () => {
    for (const part of parts) await part.stop();
    await pool.end();
    await audited.close();
  });
  const auditor = await audited.startAuditor({ consumers: [treeConsumer] });
  return {
    ...{ audited, pool, auditor },
    tree: new OwnTree({ log: audited.log, database: pool, follower: auditorName }),
    sign(signer, receiver, logger = silent) {
      const sender = receiver && new HeadSender(receiver, logger, 20);
      const options = { log: audited.log, database: pool, follower: auditorName, logger: silent };
      const signing = new HeadSigning({ ...options, sender, signer, everyMs: 20 });
      signing.start();
      parts.push(signing, ...(sender ? [sender] : []));
      return signing;
    },
  };
}

async function append({ log }: AuditedLog, events: number, seed: string): Promise<void> {
  await appendInOrder(log, history({ events, seed }), () => undefined);
}

const signedUpTo = (signing: HeadSigning, size: number) =>
  vi.waitUntil(() => signing.status().size === size, { timeout: 15_000, interval: 10 });

const faultOf = (signing: HeadSigning, reason: RegExp) =>
  expect.poll(() => signing.status().fault ?? '', { timeout: 15_000, interval: 10 }).toMatch(reason);

describe.each(auditedLogs)('heads of a log in %s', (_name, open) => {
  test('are signed as events come, each with the root of all before it', async () => {
    const { audited, pool, sign } = await start(open);
    const signer = newSigner();
    const signing = sign(signer);
    await append(audited, 300, 'heads');
    await signedUpTo(signing, 300);
    for (const uid of [1001, 1002]) {
      await audited.appendRaw(`user-${uid}`, 'AccountDisabled', { uid });
      await signedUpTo(signing, 300 + uid - 1000);
    }
    const last = await new Heads(pool, signer.name).last();
    const { size, root, origin } = openHead(last?.note ?? '', verifierOf(signer));
    expect({ size, origin }).toEqual({ size: 302, origin: signer.name });
    expect(Buffer.from(root)).toEqual(Buffer.from(await new TreeStore(pool).root(302)));
    expect(signing.status().fault).toBeUndefined();
  });

  test('show an event under a type of the store, which was appended by hand', async () => {
    const { audited, sign } = await start(open);
    const signing = sign(newSigner());
    await append(audited, 20, 'type of the store');
    await audited.appendRaw('user-77777', '$streamDeleted', { uid: 77777 });
    await faultOf(
      signing,
      /^user-77777@0 \(\$streamDeleted\).* its type is one that EventStoreDB keeps for itself/,
    );
  });
});

describe('signing of heads', () => {
  test('is not done twice by two processes, and is refused to one with another key', async () => {
    const { audited, pool, sign } = await start();
    const signer = newSigner();
    const [one, two] = [sign(signer), sign(signer)];
    await append(audited, 50, 'two');
    await signedUpTo(one, 50);
    await signedUpTo(two, 50);
    const { rows } = await pool.query('select size from audit.heads where size = 50');
    expect(rows).toHaveLength(1);
    await faultOf(sign(newSigner()), /signed by another key: give all processes one AUDIT_KEY/);
  });

  test('stops if the log lost events, logs it, and continues under another origin', async () => {
    const { audited, auditor, pool, sign } = await start();
    const signer = newSigner();
    const signing = sign(signer);
    await append(audited, 120, 'shrank');
    await signedUpTo(signing, 120);
    await auditor.stop();
    await pool.query('delete from log.events where position > 100');
    await faultOf(signing, /does not hold the event .* any more/);
    await audited.startAuditor({ consumers: [treeConsumer] });
    await faultOf(signing, /the log has 100 events, and the head signed at .* has 120: the log lost events/);
    const renamed = sign({ ...signer, name: 'bubble-im/test-2' });
    await signedUpTo(renamed, 100);
    expect(renamed.status().fault).toBeUndefined();
    const heads = await pool.query<{ size: string }>('select size from audit.heads where origin = $1', [
      signer.name,
    ]);
    expect(heads.rows.map(({ size }) => Number(size)).every((size) => size <= 120)).toBe(true);
  });

  test('stops if the log was replaced by another that is as long', async () => {
    const { audited, auditor, pool, sign } = await start();
    const signing = sign(newSigner());
    await append(audited, 120, 'changed');
    await signedUpTo(signing, 120);
    await auditor.stop();
    await pool.query(`update log.events set type = 'AccountEnabled' where position = 7`);
    await pool.query(`update log.events set id = gen_random_uuid() where position = 120`);
    await audited.startAuditor({ consumers: [treeConsumer] });
    await faultOf(signing, /the first 120 events of the log are not those of the head signed at/);
  });

  test('keeps of heads older than a day the last one of each hour', async () => {
    const { pool } = await start();
    const heads = new Heads(pool, 'bubble-im/test');
    const ages = ['50 hours', '49 hours 50 minutes', '49 hours 40 minutes', '2 hours', '1 hour'];
    for (const [index, age] of ages.entries()) {
      const hour = `date_trunc('hour', now()) - interval '${age}'`;
      await pool.query(`insert into audit.heads (origin, size, note, signed) values ($1, $2, '', ${hour})`, [
        'bubble-im/test',
        index + 1,
      ]);
    }
    await heads.thin();
    const { rows } = await pool.query<{ size: string }>('select size from audit.heads order by size');
    expect(rows.map(({ size }) => Number(size))).toEqual([3, 4, 5]);
  });

  test('waits while the index is made again, and finds the log unchanged', async () => {
    const { audited, auditor, pool, sign } = await start();
    const signing = sign(newSigner());
    await append(audited, 120, 'again');
    await signedUpTo(signing, 120);
    await auditor.stop();
    await pool.query('truncate audit.digests, audit.tiles');
    await audited.startAuditor({ consumers: [treeConsumer] });
    await audited.appendRaw('user-1', 'AccountDisabled', { uid: 1 });
    await signedUpTo(signing, 121);
    expect(signing.status().fault).toBeUndefined();
  });
});

describe('heads that are sent elsewhere', () => {
  test('are appended to a file, from which each can be read, once', async () => {
    const { audited, tree, sign } = await start();
    const signer = newSigner();
    const file = join(await temporaryFolder(), 'heads');
    const signing = sign(signer, new HeadFile({ path: file, verifier: verifierOf(signer), tree }));
    await append(audited, 30, 'file');
    await signedUpTo(signing, 30);
    await audited.appendRaw('user-1', 'AccountDisabled', { uid: 1 });
    await signedUpTo(signing, 31);
    const read = async () => keptHeadsIn(await readFile(file, 'utf8'), verifierOf(signer));
    const last = async () => (await read()).heads.at(-1)?.size;
    await expect.poll(last).toBe(31);
    await signing.stop();
    // As after a start of the program: the last head may not have been sent.
    const again = sign(signer, new HeadFile({ path: file, verifier: verifierOf(signer), tree }));
    await signedUpTo(again, 31);
    await audited.appendRaw('user-2', 'AccountDisabled', { uid: 2 });
    await signedUpTo(again, 32);
    await expect.poll(last).toBe(32);
    const { heads, unread } = await read();
    expect(unread).toEqual([]);
    const sizes = heads.map(({ size }) => size);
    expect(sizes).toEqual([...new Set(sizes)].sort((one, other) => one - other));
  });

  test('are appended to a file behind one that a crash cut, which is read then as all the others are', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const file = join(await temporaryFolder(), 'heads');
    const signing = sign(signer);
    for (const size of [1, 2]) {
      await audited.appendRaw(`user-${size}`, 'AccountDisabled', { uid: size });
      await signedUpTo(signing, size);
    }
    const heads = new Heads(pool, signer.name);
    const [first, second] = [await heads.last(1), await heads.last(2)];
    if (!first || !second) throw new Error('two heads were signed');
    // All but its line breaks was written.
    await writeFile(file, first.note.trimEnd());
    await new HeadFile({ path: file, verifier: verifierOf(signer), tree }).send(second);
    const kept = keptHeadsIn(await readFile(file, 'utf8'), verifierOf(signer));
    expect(kept.heads.map(({ size }) => size)).toEqual([1, 2]);
    expect(kept.unread).toEqual([]);
  });

  test.each([
    [
      'of as many events, which are others',
      30,
      'has a head of the first 30 events, and those of the log are others',
    ],
    [
      'of more events than the log has',
      40,
      'has a head of 40 events, and the log has 30: the log lost events, or was set back',
    ],
  ])(
    'are not appended to a file whose last head is %s, which is shown under proof',
    async (_what, size, reason) => {
      const { audited, tree, sign } = await start();
      const [signer, other] = [newSigner(), newSigner('bubble-im/other')];
      const file = join(await temporaryFolder(), 'heads');
      const note = (by: NoteSigner, of: number) => signHead(by, { size: of, root: randomBytes(32) });
      // Of a former log, which another head of its name, and those of another log, lie behind.
      const before = `${note(signer, size)}\n${note(signer, 7)}\n${note(other, 90)}\n`;
      await writeFile(file, before);
      await append(audited, 30, 'former file');
      const signing = sign(signer, new HeadFile({ path: file, verifier: verifierOf(signer), tree }));
      await signedUpTo(signing, 30);
      await faultOf(signing, new RegExp(`^${file} ${reason}`));
      expect(await readFile(file, 'utf8')).toBe(before);
      await rename(file, `${file}.former`);
      await expect.poll(() => signing.status().fault, { timeout: 10_000 }).toBeUndefined();
      const kept = keptHeadsIn(await readFile(file, 'utf8'), verifierOf(signer));
      expect(kept.heads.map((head) => head.size)).toEqual([30]);
    },
  );

  test('are held against a file as far as the log is audited, and no further', async () => {
    const { audited, auditor, pool, tree, sign } = await start();
    const signer = newSigner();
    const signing = sign(signer);
    await append(audited, 30, 'audited so far');
    await signedUpTo(signing, 30);
    await auditor.stop();
    const client = await pool.connect();
    await makeIndexAgain(client, [treeConsumer]).finally(() => client.release());
    const held = () => tree.mustHold('the file', { size: 30 });
    await expect(held()).rejects.toThrow('the file has a head of 30 events, and 0 are audited so far');
    await expect(held()).rejects.not.toBeInstanceOf(Contradiction);
    await audited.startAuditor({ consumers: [treeConsumer] });
    await vi.waitFor(held, { timeout: 10_000 });
  });

  describe.each(['ed25519', 'ml-dsa-44'] as const)('to a witness that cosigns by %s', (kind) => {
    test('get a proof that each extends the one before', async () => {
      const { audited, pool, tree, sign } = await start();
      const signer = newSigner();
      const witness = await startWitness(verifierOf(signer), kind);
      const { url, verifier } = witness;
      const signing = sign(signer, new Witness({ url, verifier, database: pool, tree }));
      const cosigned = cosigning(pool, signer, verifier);
      const heads = new Heads(pool, signer.name);
      for (let size = 1; size <= 6; size++) {
        await audited.appendRaw(`user-${size}`, 'AccountDisabled', { uid: size });
        await signedUpTo(signing, size);
        await expect.poll(() => cosigned(size)).toBeDefined();
        expect(witness.last()).toMatchObject({ size, origin: signer.name });
      }
      const note = (await heads.last())?.note ?? '';
      expect(note).not.toContain('stranger');
      expect(openHead(note, verifierOf(signer)).size).toBe(6);
      // A witness that lost its data gets the proof from its own size on.
      witness.forget(openHead((await heads.last(2))?.note ?? '', verifierOf(signer)));
      await audited.appendRaw('user-7', 'AccountDisabled', { uid: 7 });
      await expect.poll(() => cosigned(7)).toBeDefined();
    });
  });

  test('show that the log was set back, if the witness knows a head of more events or of others', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const witness = await startWitness(verifierOf(signer));
    const { url, verifier } = witness;
    const early = sign(signer, new Witness({ url, verifier, database: pool, tree }));
    await append(audited, 10, 'set back');
    await signedUpTo(early, 10);
    await expect.poll(() => cosigning(pool, signer, verifier)(10)).toBeDefined();
    await early.stop();
    // As if it had cosigned heads of a log that went on, of which a backup was restored.
    witness.forget({ origin: signer.name, size: 12, root: randomBytes(32) });
    const lines: string[] = [];
    const logger = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const signing = sign(signer, new Witness({ url, verifier, database: pool, tree }), logger);
    await faultOf(
      signing,
      /^the witness witness\.test\/one has a head of 12 events, and the log has 10: the log lost events, or was set back$/,
    );
    for (let uid = 11; uid <= 13; uid++) {
      await audited.appendRaw(`user-${uid}`, 'AccountDisabled', { uid });
      await signedUpTo(signing, uid);
    }
    await faultOf(signing, /one has a head of the first 12 events, and those of the log are others/);
    expect(lines.filter((line) => line.includes('that is kept elsewhere is not of this log'))).toHaveLength(
      1,
    );
  });

  test('of fewer events than another process has sent are no sign that the log was set back', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const witness = await startWitness(verifierOf(signer));
    const { url, verifier } = witness;
    const signing = sign(signer, new Witness({ url, verifier, database: pool, tree }));
    for (const size of [1, 2]) {
      await audited.appendRaw(`user-${size}`, 'AccountDisabled', { uid: size });
      await signedUpTo(signing, size);
    }
    await expect.poll(() => cosigning(pool, signer, verifier)(2)).toBeDefined();
    const first = await new Heads(pool, signer.name).last(1);
    if (!first) throw new Error('a head was signed');
    const late = new Witness({ url, verifier, database: pool, tree });
    await late.send(first, AbortSignal.timeout(10_000));
    expect(witness.last()?.size).toBe(2);
  });

  test('are signed even while the witness is away', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const { verifier } = await startWitness(verifierOf(signer));
    const signing = sign(signer, new Witness({ url: 'http://127.0.0.1:1', verifier, database: pool, tree }));
    for (const size of [1, 2]) {
      await audited.appendRaw(`user-${size}`, 'AccountDisabled', { uid: size });
      await signedUpTo(signing, size);
    }
  });

  test('are sent again to a witness that was away, though no event came since', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const witness = await startWitness(verifierOf(signer));
    witness.answers('badly');
    const { url, verifier } = witness;
    const signing = sign(signer, new Witness({ url, verifier, database: pool, tree }));
    await audited.appendRaw('user-1', 'AccountDisabled', { uid: 1 });
    await signedUpTo(signing, 1);
    witness.answers('well');
    await expect.poll(() => cosigning(pool, signer, verifier)(1)).toBeDefined();
  });

  test('are sent by the program that starts next, if the one before ended too early', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const witness = await startWitness(verifierOf(signer));
    const early = sign(signer);
    await audited.appendRaw('user-1', 'AccountDisabled', { uid: 1 });
    await signedUpTo(early, 1);
    await early.stop();
    const { url, verifier } = witness;
    sign(signer, new Witness({ url, verifier, database: pool, tree }));
    await expect.poll(() => cosigning(pool, signer, verifier)(1)).toBeDefined();
  });

  test('to a witness that never answers delay neither the comparison with the log nor the end', async () => {
    const { audited, auditor, pool, tree } = await start();
    const signer = newSigner();
    const witness = await startWitness(verifierOf(signer));
    witness.answers('never');
    const { url, verifier } = witness;
    const sender = new HeadSender(new Witness({ url, verifier, database: pool, tree }), silent);
    const signing = new HeadSigning({
      ...{ log: audited.log, database: pool, follower: auditorName, logger: silent, signer, everyMs: 20 },
      sender,
    });
    signing.start();
    onTestFinished(() => signing.stop());
    await append(audited, 10, 'silent');
    await expect.poll(() => witness.waiting()).toBe(1);
    await auditor.stop();
    await pool.query('delete from log.events where position > 5');
    await faultOf(signing, /does not hold the event .* any more/);
    expect(witness.waiting()).toBe(1);
    await sender.stop();
    await expect.poll(() => witness.waiting()).toBe(0);
  });

  test('have one cosignature of a witness, however often it answers with it', async () => {
    const { audited, pool, tree, sign } = await start();
    const signer = newSigner();
    const witness = await startWitness(verifierOf(signer));
    witness.answers('many times');
    const { url, verifier } = witness;
    const signing = sign(signer, new Witness({ url, verifier, database: pool, tree }));
    await audited.appendRaw('user-1', 'AccountDisabled', { uid: 1 });
    await signedUpTo(signing, 1);
    const cosigned = cosigning(pool, signer, verifier);
    await expect.poll(() => cosigned(1)).toBeDefined();
    expect(readNote((await cosigned(1))?.note ?? '').signatures).toHaveLength(2);
  });
});

/** Gives the head of a size, once the verifier has cosigned it. */
function cosigning(pool: Pool, signer: NoteSigner, verifier: NoteVerifier) {
  const heads = new Heads(pool, signer.name);
  return async (size: number): Promise<Head | undefined> => {
    const head = await heads.last(size);
    return head?.size === size && isSignedBy(readNote(head.note), verifier) ? head : undefined;
  };
}
