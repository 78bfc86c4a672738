import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AuditedLog, auditedLogs } from '../support/auditing.ts';
import { between, created, registered, sent } from '../support/events.ts';

const talk = between(1, 2);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.each(auditedLogs)('npm run replay on a log in %s', (_, open) => {
  let world: AuditedLog;
  beforeAll(async () => {
    world = await open();
    await world.append(registered(1, '猫猫'));
    await world.append(registered(2, 'Jerry'), { correlation: 'second' });
    await world.append(created(50, '邻居', 1, 2), { actor: '1', correlation: 'third' });
    await world.append(sent(talk, 1, 10, 'a "quote", and\n=1+1'), { actor: '1', correlation: 'fourth' });
    await world.append(sent(talk, 2, 11, 'for Jerry'), { for: 2, correlation: 'fourth', causation: 'cause' });
    const auditor = await world.startAuditor();
    await world.indexed(auditor);
    // One that still runs would make its checkpoint again when a test takes it away.
    await auditor.stop();
  });
  afterAll(() => world.close());

  function start(...parameters: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
    const child = spawn(process.execPath, ['scripts/replay.ts', ...parameters], {
      env: { PATH: process.env.PATH, TZ: 'Asia/Shanghai', LOG_LEVEL: 'error', ...world.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return child as ChildProcess & { stdout: NodeJS.ReadableStream };
  }

  async function run(...parameters: string[]): Promise<Ended> {
    const child = start(...parameters);
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      child.stderr ? text(child.stderr) : '',
      once(child, 'exit'),
    ]);
    return { code, stdout, stderr };
  }

  it('shows when, who with the nickname, where, what in words, and the position', async () => {
    const { code, stdout, stderr } = await run('--names');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^time +who +where +type +what {2}\[position\]$/);
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+08:00`;
    expect(lines[1]).toMatch(
      new RegExp(
        `^${time}  server +user-1@0 +UserRegistered +registered person 1 \\(猫猫\\) as "user1".*  \\[[0-9-]+\\]$`,
      ),
    );
    expect(lines[3]).toMatch(
      / {2}1 \(猫猫\) +group-50@0 +GroupCreated +created group 50 \(邻居\), owned by person 1 \(猫猫\)/,
    );
    expect(lines[4]).toMatch(
      /message 10 from person 1 \(猫猫\) to person 2 \(Jerry\): "a \\"quote\\", and\\n=1\+1"/,
    );
    expect(lines[5]).toMatch(/ {2}server for 2 \(Jerry\) +conversation-f1-2@1 /);
  });

  it('gives lines of JSON that hold what the log holds, and tables for other programs', async () => {
    const [ndjson, csv] = await Promise.all([
      run('--conversation', 'f1-2', '--format', 'ndjson'),
      run('--conversation', 'f1-2', '--format', 'csv', '--names'),
    ]);
    const Line = z.object({ position: z.string(), data: z.object({ content: z.string() }) });
    const events = ndjson.stdout
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
    expect(events.map(({ data }) => data.content)).toEqual(['a "quote", and\n=1+1', 'for Jerry']);
    const [heading, first] = csv.stdout.split('\n');
    expect(heading).toBe(
      'position,recorded,stream,revision,id,type,actor,acted_for,key,session,address,operator,correlation,causation,conversation,mid,people,skipped,data,names',
    );
    expect(first).toMatch(
      /,conversation-f1-2,0,[0-9a-f-]+,MessageSent,1,,,,,,fourth,fourth,f1-2,10,1 2,,"\{""/,
    );
    expect(first).toContain('"{""1"":""猫猫"",""2"":""Jerry""}"');
  });

  it.each([
    [['--by', 'server', '--type', 'MessageSent'], [11]],
    [['--by', '2'], [11]],
    [['--about', '2', '--mid', '10'], [10]],
    [
      ['--correlation', 'fourth', '--reverse'],
      [11, 10],
    ],
    [['--caused-by', 'cause'], [11]],
    [['--category', 'conversation', '--limit', '1'], [10]],
    [
      ['--stream', 'conversation-f1-2,group-50', '--type', 'MessageSent'],
      [10, 11],
    ],
    [
      ['--stream', 'conv*', '--since', '1h'],
      [10, 11],
    ],
  ])('shows what %j asks for', async (parameters, mids) => {
    const { stdout, stderr } = await run(...parameters, '--format', 'ndjson');
    expect(stderr).toBe('');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).data.mid),
    ).toEqual(mids);
  });

  it.each([
    [['--stream', 'user-99'], /^replay: there is no stream user-99\n$/],
    [['--about', '99', '--type', 'MessageSent'], /^replay: no event is about person 99\n$/],
    [['--type', 'GroupMuted'], /^replay: GroupMuted never happened\n$/],
    [['--by', '3'], /^replay: person 3 caused no event\n$/],
    [['--until', '2020-01-01'], /^replay: nothing was recorded before 2020-01-01 /],
    [['--about', '1', '--correlation', 'second'], /^replay: no event matches all that was asked for/],
    [['--type', 'MesageSent'], /there is no event type MesageSent: did you mean MessageSent\?/],
    [['--category', 'groups'], /there is no category groups: give user, friendship, group, /],
    [['--since', 'yesterday'], /"yesterday" is no time: give 2h /],
    [['--about', 'Tom'], /"Tom" is no uid, a number from 1/],
    [['--by', 'Tom'], /"Tom" is neither a uid, a number from 1 such as 9, nor server or nobody/],
    [['--by', 'nobody'], /^replay: a stranger caused no event\n$/],
    [['--stream', 'conv*f1-2'], /"conv\*f1-2" is no name of a stream, nor with a \* at its end/],
    [['--stream', '$all'], /"\$all" is no name of a stream/],
    [
      ['--since', '1h', '--until', '2h'],
      /^replay: --since is not before --until, so nothing lies between them\n$/,
    ],
    [['--conversation', 'f9-3'], /"f9-3" is no conversation: .* the lower uid first/],
    [['--conversation', '50'], /"50" is no conversation: .* f3-9.* g123456789/],
    [['--from', 'here'], /--from "here" is no position of this log: .*the last one of this log is [0-9]/],
    [['--folow'], /unknown option '--folow'\n\(Did you mean --follow\?\)/],
    [['--follow', '--reverse'], /'--follow' cannot be used with option '--reverse'/],
  ])('says of %j what is wrong, and shows no empty table', async (parameters, message) => {
    const { code, stdout, stderr } = await run(...parameters);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it('reads the whole log if there is no index, and says so', async () => {
    await world.query(`update followers.checkpoint set name = 'aside' where name = 'audit'`);
    const { code, stdout, stderr } = await run('--about', '2', '--type', 'MessageSent', '--format', 'ndjson');
    await world.query(`update followers.checkpoint set name = 'audit' where name = 'aside'`);
    expect(stderr).toBe(
      'replay: there is no index of this log: the whole log is read instead, which takes longer\n',
    );
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(code).toBe(0);
  });

  it('follows the log until Ctrl-C, which is its ordinary end', async () => {
    const child = start(
      '--follow',
      '--type',
      'MessageSent',
      '--format',
      'ndjson',
      '--stream',
      'conversation-f1-9',
    );
    const lines: string[] = [];
    child.stdout.on('data', (data) => lines.push(...String(data).trim().split('\n')));
    let sentAt = 100;
    await expect
      .poll(
        async () => {
          await world.append(sent(between(1, 9), 9, ++sentAt, 'new'), { actor: '9' });
          return lines.length;
        },
        { timeout: 20_000, interval: 500 },
      )
      .toBeGreaterThan(1);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(lines.map((line) => JSON.parse(line).data.mid)).toEqual(lines.map((_, number) => 101 + number));
  });

  it('ends with code 0 when the reader of its output goes away', async () => {
    const unread = start('--format', 'ndjson', '--follow');
    const [first] = await once(unread.stdout, 'data');
    expect(String(first)).toContain('UserRegistered');
    unread.stdout.on('error', () => undefined);
    (unread as ChildProcess).stdout?.destroy();
    // What it writes next finds no reader.
    const writing = setInterval(() => void world.append(registered(3, 'x')), 200);
    const [code] = await once(unread, 'exit');
    clearInterval(writing);
    expect(code).toBe(0);
  });
});
