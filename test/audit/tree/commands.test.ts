import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { history } from '../../../scripts/seed/history.ts';
import { auditorName } from '../../../services/audit/index/audit-task.ts';
import { loadAuditSigner } from '../../../services/audit/tree/audit-key.ts';
import { HeadSigning } from '../../../services/audit/tree/head-signing.ts';
import { latestHead } from '../../../services/audit/tree/heads.ts';
import { treeConsumer } from '../../../services/audit/tree/tree-consumer.ts';
import { lockExportFolder } from '../../../services/data-folder.ts';
import { appendInOrder } from '../../../services/log/append-in-order.ts';
import { type AuditedLog, auditedLogs } from '../../support/auditing.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { silent } from '../../support/projecting.ts';

const events = 600;
const origin = 'bubble-im/bubble-im';
let audited: AuditedLog;
let pool: Pool;
let folder: string;
beforeAll(async () => {
  audited = await auditedLogs[0][1]();
  pool = new Pool({ connectionString: audited.url });
  folder = await temporaryFolder(afterAll);
  await appendInOrder(audited.log, history({ events, seed: 'verify' }), () => undefined);
  const auditor = await audited.startAuditor({ consumers: [treeConsumer] });
  await audited.indexed(auditor);
  const source = { dataFolder: folder, auditKey: undefined, auditOrigin: origin };
  const signer = await loadAuditSigner(source);
  const options = { log: audited.log, database: pool, follower: auditorName, logger: silent };
  const signing = new HeadSigning({ ...options, signer });
  signing.start();
  await vi.waitUntil(() => signing.status().size === events, { timeout: 15_000 });
  await signing.stop();
});
afterAll(async () => {
  await pool.end();
  await audited.close();
});

async function verify(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const given = { PATH: process.env.PATH, DATABASE_URL: audited.url, DATA_DIR: folder, ...environment };
  return promisify(execFile)(process.execPath, ['scripts/verify.ts', ...parameters], { env: given }).then(
    ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

describe('npm run verify', () => {
  test('says that a log is as it was, also compared with a head that was kept', async () => {
    const file = join(await temporaryFolder(), 'head');
    await writeFile(file, (await latestHead(pool, origin))?.note ?? '');
    const { code, stdout } = await verify(['--checkpoint', file]);
    expect(stdout).toMatch(
      /^The log is as it was: 601 events(, 1 of which is not audited yet)?\. 2 signed heads fit, the last one of 600 events\. Root: /,
    );
    expect(code).toBe(0);
  });

  test('says with which heads a log was not compared, since they are of another name', async () => {
    const { code, stdout } = await verify([], { AUDIT_ORIGIN: 'bubble-im/renamed' });
    expect(stdout).toContain(
      'No head was signed yet. It was not compared with the heads of bubble-im/bubble-im: ',
    );
    expect(code).toBe(0);
  });

  test('names the event that was changed, and ends with 1', async () => {
    const [row] = await audited.query<{ data: string; stream: string; revision: string; type: string }>(
      'select data, stream, revision, type from log.events where position = 500',
    );
    onTestFinished(async () => {
      await pool.query('update log.events set data = $1 where position = 500', [row?.data]);
    });
    await pool.query(`update log.events set data = replace(data, '":', '":  ') where position = 499`);
    await pool.query(`update log.events set data = regexp_replace(data, '\\d', '9') where position = 500`);
    const { code, stdout, stderr } = await verify([]);
    expect(stdout).toContain(`CHANGED: ${row?.stream}@${row?.revision} (${row?.type}, recorded 20`);
    expect(stderr).toContain('what to do is in docs/operations.md, "What verify says, and what to do"');
    expect(stdout).toContain('is event 499, but not as it was: its data or metadata differ');
    expect(code).toBe(1);
  });

  test('names an event that lies where none was appended in a line of its own, and ends with 1', async () => {
    onTestFinished(async () => {
      await pool.query('delete from log.events where position = 0');
    });
    await pool.query('alter table log.events drop constraint if exists events_position_placed');
    await pool.query(
      `insert into log.events select 0, 'user-77777', 0, gen_random_uuid(), 'AccountDisabled', data, metadata, recorded
         from log.events where position = 1`,
    );
    const { code, stdout } = await verify([]);
    expect(stdout).toMatch(
      /^MISPLACED: user-77777@0 \(AccountDisabled\) at position 0 was not appended so: .*\nOtherwise the log is as it was: /,
    );
    expect(code).toBe(1);
  });

  test('names the row of the index that is not what the log gives, and how it is mended, and ends with 1', async () => {
    const same = await verify(['--index']);
    expect(same.stdout).toMatch(/^The index is what the log gives: its 60\d events do not differ\n$/);
    expect(same.code).toBe(0);
    const [row] = await audited.query<{ actor: string; stream: string; revision: string }>(
      'select actor, stream, revision from audit.events where number = 500',
    );
    onTestFinished(async () => {
      await pool.query('update audit.events set actor = $1 where number = 500', [row?.actor]);
    });
    await pool.query(`update audit.events set actor = '77777' where number = 500`);
    const { code, stdout } = await verify(['--index']);
    expect(stdout).toContain(
      `events number=500 (${row?.stream}@${row?.revision}): actor is "77777", should be "${row?.actor}"\n`,
    );
    expect(stdout).toContain('Make it again: npm run rebuild -- --audit');
    expect(code).toBe(1);
  });

  test('refuses a kept head that another key signed, and a file without one', async () => {
    const file = join(await temporaryFolder(), 'head');
    await writeFile(file, (await latestHead(pool, origin))?.note ?? '');
    const elsewhere = { DATA_DIR: await temporaryFolder(), AUDIT_KEY: `${'A'.repeat(43)}=` };
    const other = await verify(['--checkpoint', file], elsewhere);
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('is not signed by the key of') });
    await writeFile(file, 'nothing\n');
    expect((await verify(['--checkpoint', file])).stderr).toContain('holds no head of a log');
  });

  test('names what a file holds beside kept heads, compares with these, and ends with 1', async () => {
    const file = join(await temporaryFolder(), 'heads');
    const note = (await latestHead(pool, origin))?.note ?? '';
    await writeFile(file, `${note}\n${note.trimEnd()}`);
    const whole = await verify(['--checkpoint', file]);
    expect(whole.stdout).toMatch(/^The log is as it was: .* 3 signed heads fit/);
    expect(whole.code).toBe(0);
    await writeFile(file, `${note}\n${note.replace('— ', '-- ')}\n${note}`);
    const damaged = await verify(['--checkpoint', file]);
    expect(damaged.stdout).toContain(
      `KEPT HEAD NOT READ: with this the log was not compared: ${file}, lines 7 to 11: there is no complete head\n`,
    );
    expect(damaged.stdout).toMatch(/^The log is as it was: .* 3 signed heads fit/m);
    expect(damaged.stderr).toContain('"What verify says, and what to do"');
    expect(damaged.code).toBe(1);
  });

  test('proves an event offline, and nothing else', async () => {
    const [row] = await audited.query<{ id: string; stream: string }>(
      'select id, stream from log.events where position = 123',
    );
    const file = join(await temporaryFolder(), 'proof');
    expect((await verify(['--event', row?.id ?? '', '--out', file])).stdout).toContain(
      'is event 122 of the 600 events',
    );
    const key = (await verify(['--key'])).stdout.trim();
    const nowhere = { DATABASE_URL: '', DATA_DIR: '/nonexistent' };
    const right = await verify(['--proof', file, '--verifier', key], nowhere);
    expect(right.stdout).toContain('The proof is right: this is event 122 of the 600 events');
    expect(right.stdout).toContain(`"stream":"${row?.stream}"`);
    const text = await readFile(file, 'utf8');
    expect(text.startsWith('c2sp.org/tlog-proof@v1\nextra ')).toBe(true);
    const [, extra = ''] = /extra (\S+)/.exec(text) ?? [];
    const event = JSON.parse(Buffer.from(extra, 'base64').toString());
    const changed = Buffer.from(JSON.stringify({ ...event, type: 'AccountDisabled' })).toString('base64');
    await writeFile(file, text.replace(extra, changed));
    const wrong = await verify(['--proof', file, '--verifier', key], nowhere);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('the event is not the one') });
    const carried = Buffer.from(extra, 'base64').toString();
    for (const more of ['{"type":"AccountDisabled",', '{"extra":1,']) {
      const longer = Buffer.from(carried.replace('{', more)).toString('base64');
      await writeFile(file, text.replace(extra, longer));
      expect(await verify(['--proof', file, '--verifier', key], nowhere)).toMatchObject({
        ...{ code: 1, stdout: '' },
        stderr: expect.stringContaining('it holds what reading it leaves out'),
      });
    }
    const { id, data } = event;
    const lacking = Buffer.from(JSON.stringify({ id, revision: 'x', data })).toString('base64');
    await writeFile(file, text.replace(extra, lacking));
    expect((await verify(['--proof', file, '--verifier', key], nowhere)).stderr).toBe(
      'verify: the event in the proof is broken (stream is missing, revision: Invalid input: expected number, received ' +
        'string, type is missing, recorded is missing, metadata is missing)\n',
    );
    expect((await verify(['--proof', file], nowhere)).stderr).toContain('there is no key in /nonexistent');
  });

  test('writes the tree in the files of C2SP tlog-tiles', async () => {
    const to = join(await temporaryFolder(), 'tree');
    expect((await verify(['--export', to])).stdout).toContain('with 600 events were written');
    const files = (await readdir(to, { recursive: true, withFileTypes: true }))
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(to.length + 1))
      .sort();
    expect(files).toEqual([
      ...['checkpoint', 'lock', 'tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2'],
      ...['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/88'],
    ]);
    expect(await readFile(join(to, 'checkpoint'), 'utf8')).toBe((await latestHead(pool, origin))?.note);
    // Once more, only what may have changed is written.
    expect((await verify(['--export', to])).stdout).toMatch(/^4 files of /);
  });

  test('writes no tree into a folder into which another one is exported', async () => {
    const to = join(await temporaryFolder(), 'tree');
    const other = await lockExportFolder(to);
    expect(await verify(['--export', to])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(
        `the export folder ${to} is in use by the process ${process.pid}: wait until it has ended`,
      ),
    });
    expect(await readdir(to)).toEqual(['lock', 'pid']);
    await other.release();
    expect((await verify(['--export', to])).code).toBe(0);
  });

  test('writes no tree between the files of another log, and trusts no files of an export that was not finished', async () => {
    const to = join(await temporaryFolder(), 'tree');
    await verify(['--export', to]);
    const [checkpoint, tile] = [join(to, 'checkpoint'), join(to, 'tile/entries/000')];
    const [note, entries] = [await readFile(checkpoint, 'utf8'), await readFile(tile)];
    const other = note.replace(/\n600\n.{43}/, `\n300\n${'A'.repeat(43)}`);
    await writeFile(checkpoint, other);
    const refused = await verify(['--export', to]);
    expect(refused.stderr).toContain(
      'holds the tree of 300 events of bubble-im/bubble-im, which are not the first',
    );
    expect(refused.code).toBe(1);
    expect(await readFile(checkpoint, 'utf8')).toBe(other);
    await rm(checkpoint);
    await writeFile(tile, 'of another log');
    expect((await verify(['--export', to])).code).toBe(0);
    expect(await readFile(tile)).toEqual(entries);
    expect(await readFile(checkpoint, 'utf8')).toBe(note);
  });

  test.skipIf(process.platform !== 'linux')(
    'names the option whose file or folder cannot be written',
    async () => {
      const [row] = await audited.query<{ id: string }>('select id from log.events where position = 123');
      const file = join(await temporaryFolder(), 'file');
      await writeFile(file, 'a file');
      const refusals = [
        [['--export', '/proc/tree'], '--export /proc/tree: cannot write /proc/tree (ENOENT'],
        [['--export', file], `--export ${file} is no folder`],
        [
          ['--event', row?.id ?? '', '--out', '/proc/proof'],
          '--out /proc/proof: cannot write /proc/proof (ENOENT',
        ],
        [['--event', row?.id ?? '', '--out', '/dev/full'], '--out /dev/full: cannot write /dev/full (ENOSPC'],
      ] as const;
      for (const [parameters, reason] of refusals) {
        const { code, stderr } = await verify(parameters);
        expect(stderr).toContain(reason);
        expect(code).toBe(1);
      }
    },
  );

  test('writes no tree that is not the one of the last head', async () => {
    const to = join(await temporaryFolder(), 'tree');
    const [row] = await audited.query<{ type: string }>('select type from audit.events where number = 590');
    onTestFinished(async () => {
      await pool.query('update audit.events set type = $1 where number = 590', [row?.type]);
    });
    await pool.query(`update audit.events set type = 'AccountDisabled' where number = 590`);
    const { code, stderr } = await verify(['--export', to]);
    expect(stderr).toContain('the first 600 events of the log are not those that bubble-im/bubble-im signed');
    expect(code).toBe(1);
    await expect(readdir(to)).rejects.toThrow('ENOENT');
  });

  test('writes no tile that was changed since it became full', async () => {
    const to = join(await temporaryFolder(), 'tree');
    const [row] = await audited.query<{ type: string }>('select type from audit.events where number = 300');
    onTestFinished(async () => {
      await pool.query('update audit.events set type = $1 where number = 300', [row?.type]);
    });
    await pool.query(`update audit.events set type = 'AccountDisabled' where number = 300`);
    const { code, stderr } = await verify(['--export', to]);
    expect(stderr).toContain('the events from 256 to 511 are in the index otherwise than they were audited');
    expect(code).toBe(1);
    const files = await readdir(to, { recursive: true });
    expect(files).not.toContain('checkpoint');
    expect(files.filter((file) => file.includes('001'))).toEqual([]);
  });

  test('writes no tree of a head that the key has not signed', async () => {
    const to = join(await temporaryFolder(), 'tree');
    const head = await latestHead(pool, origin);
    onTestFinished(async () => {
      await pool.query('update audit.heads set note = $1 where size = $2', [head?.note, head?.size]);
    });
    const [text = '', signature = ''] = head?.note.split(/(?<=— \S+ )/) ?? [];
    const bytes = Buffer.from(signature, 'base64').fill(0, 4);
    const forged = `${text}${bytes.toString('base64')}\n`;
    await pool.query('update audit.heads set note = $1 where size = $2', [forged, head?.size]);
    const { code, stderr } = await verify(['--export', to]);
    expect(stderr).toContain(
      'the stored head of the first 600 events of bubble-im/bubble-im is not signed by the key that is known here',
    );
    expect(code).toBe(1);
    await expect(readdir(to)).rejects.toThrow('ENOENT');
    expect((await verify([])).stdout).toContain('HEAD NOT SIGNED: the stored head of the first 600 events');
  });

  test('proves no event that was changed since', async () => {
    const [row] = await audited.query<{ id: string; data: string }>(
      'select id, data from log.events where position = 77',
    );
    onTestFinished(async () => {
      await pool.query('update log.events set data = $1 where position = 77', [row?.data]);
    });
    await pool.query(`update log.events set data = regexp_replace(data, '\\d', '9') where position = 77`);
    const file = join(await temporaryFolder(), 'proof');
    const { code, stderr } = await verify(['--event', row?.id ?? '', '--out', file]);
    expect(stderr).toContain('the event is not the one that the head was signed for');
    expect(code).toBe(1);
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  test.each([
    [['--key', '--export', 'x'], 'are different things: give one of them'],
    [['--event', '17'], '"17" is no id of an event'],
    [['--event', '00000000-0000-7000-8000-000000000000'], 'the audited log has no event'],
    [['--proof', '/nonexistent'], 'verify: there is no file /nonexistent\n'],
    [['--checkpoint', '/nonexistent'], 'verify: there is no file /nonexistent\n'],
    [['--checkpoint', '/'], 'verify: cannot read / (EISDIR'],
    [['--index', '--read-models'], '--read-models and --index are different things'],
    [['--key', '--verifier', 'x'], '--verifier is by whose key heads are verified, and here none is'],
    [['--out', 'x'], '--out is where the proof of --event is written'],
    [['--checkpint', 'x'], 'Did you mean --checkpoint'],
  ])('given %j says what is wrong', async (parameters, reason) => {
    const { code, stderr } = await verify(parameters);
    expect(stderr).toContain(reason);
    expect(code).toBe(1);
  });
});
