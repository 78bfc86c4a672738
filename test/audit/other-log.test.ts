import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { StreamName } from '../../services/log/log.ts';
import { type AuditedLog, openEventStoreDB } from '../support/auditing.ts';
import { between, registered, sent } from '../support/events.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runScript } from '../support/script.ts';

/** The commands that are given a log and a database, as an operator calls them. */
const commands: readonly (readonly string[])[] = [
  ['rebuild', '--audit'],
  ['rebuild'],
  ['verify', '--index'],
  ['verify', '--streams'],
  ['verify', '--read-models'],
  ['verify', '--event', '0190a0c0-0000-7000-8000-000000000001'],
  ['verify', '--export', 'FOLDER'],
  ['as-of', '--at', '0s', 'user', '1'],
  ['as-of', '--forget'],
  ['explain', 'friends', '1', '2'],
  ['replay', '--stream', 'user-1'],
  ['export', '--to', 'FOLDER'],
  ['backup', '--to', 'FOLDER'],
  ['skip', '0', '--why', 'a test', '--force'],
  ['seed', '--events', '10'],
];

/** Those that say of a log that names nothing what it lacks, or fill it. */
const ofAnotherAlone: typeof commands = [
  ['verify'],
  ['verify', '--checkpoint', 'FOLDER'],
  ['import', '--from', 'esdb://127.0.0.1:1?tls=false'],
];

describe('a command that is given the database of one installation and the log of another', () => {
  let own: AuditedLog;
  let other: AuditedLog;
  let folder: string;
  beforeAll(async () => {
    [own, other] = await Promise.all([openEventStoreDB(), openEventStoreDB()]);
    folder = await temporaryFolder(afterAll);
    await Promise.all([own, other].map(fill));
  });
  afterAll(() => Promise.all([own.close(), other.close()]));

  const run = ([name = '', ...words]: readonly string[], environment: Readonly<Record<string, string>>) =>
    runScript(
      name,
      words.map((word) => (word === 'FOLDER' ? join(folder, 'empty') : word)),
      { ...environment, DATABASE_URL: own.url, DATA_DIR: folder, LOG_LEVEL: 'error' },
    );
  /** What a command may not change. */
  const state = async () => ({
    index: await own.query('select number, id from audit.events order by number'),
    marks: await own.query('select name, position, event_id from followers.checkpoint order by name'),
    ownUses: await uses(own),
    otherUses: await uses(other),
  });

  test.each([...commands, ...ofAnotherAlone])('%s %s says so, and changes nothing', async (...command) => {
    const before = await state();
    const { code, stdout, stderr } = await run(command, other.environment);
    expect(stderr).toMatch(
      /^[a-z-]+: the log belongs to the installation \w+, and not to \w+\. Point .* Nothing is changed$/m,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(await state()).toEqual(before);
  });

  test.each(commands)('%s %s says so of a log under another prefix', async (...command) => {
    const before = await state();
    const { code, stderr } = await run(command, { ...own.environment, STREAM_PREFIX: 'other-' });
    expect(stderr).toMatch(
      /: the log is empty or was replaced: it does not name the installation \w+\. Point /,
    );
    expect(code).toBe(1);
    expect(await state()).toEqual(before);
  });

  test('answers from the log of its installation', async () => {
    const { code, stderr } = await run(['replay', '--stream', 'user-1'], own.environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test('a log whose name was deleted is read as evidence, and nothing is made of it', async () => {
  const world = await openEventStoreDB();
  onTestFinished(() => world.close());
  await fill(world);
  world.store.hold(world.store.records.filter(({ stream }) => stream !== 'chat-installation'));
  const environment = { ...world.environment, DATA_DIR: await temporaryFolder(), LOG_LEVEL: 'error' };
  const read = await runScript('replay', ['--stream', 'user-1'], environment);
  expect(read).toMatchObject({ code: 0, stdout: expect.stringContaining('UserRegistered') });
  const verified = await runScript('verify', [], environment);
  expect(verified).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^NOT NAMED: the log holds events/m),
  });
  const rebuilt = await runScript('rebuild', ['--audit'], environment);
  expect(rebuilt).toMatchObject({ code: 1, stderr: expect.stringContaining('the log holds events and not') });
  expect(await world.query('select number from audit.events')).toHaveLength(3);
});

/** A history, and the index of it. */
async function fill(world: AuditedLog): Promise<void> {
  await world.append(registered(1, '甲'));
  await world.append(registered(2, '乙'));
  await world.append(sent(between(1, 2), 1, 10, '你好'), { actor: '1' });
  const auditor = await world.startAuditor();
  await world.indexed(auditor);
  await auditor.stop();
}

async function uses({ log }: AuditedLog): Promise<number> {
  return (await Array.fromAsync(log.readStream('access' as StreamName))).length;
}
