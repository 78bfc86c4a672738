import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { isInstalled } from '../support/installed.ts';
import { startStandalone } from '../support/standalone.ts';

const canFollow = isInstalled('bash') && isInstalled('curl');

/** The blocks for a shell under a heading, in their order. */
function blocksUnder(heading: string, page: string): string[] {
  const [, section = ''] = new RegExp(`^## ${heading}\n(.*?)^## `, 'ms').exec(page) ?? [];
  return Array.from(section.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block);
}

/** A shell that is fed line by line, as by somebody who follows a page. */
function startShell(environment: Readonly<Record<string, string>>) {
  const child = spawn('bash', [], {
    env: { PATH: process.env.PATH, HOME: environment.DATA_DIR, ...environment },
    // What it leaves running is in its process group.
    detached: true,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  onTestFinished(() => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  });
  return { type: (text: string) => child.stdin.write(text), output: () => output };
}

test.skipIf(!canFollow).each([
  ['README.md', 'See it work'],
  ['README.zh.md', '试一试'],
])(
  'who follows %s sees two people chat (needs bash and curl)',
  async (path, heading) => {
    const folder = await temporaryFolder();
    const { port } = await startStandalone(folder);
    const here = readFileSync(path, 'utf8')
      .replaceAll('127.0.0.1:8787', `127.0.0.1:${port}`)
      .replaceAll('data/app-secret', `${folder}/app-secret`);
    const [registering = '', listening = '', sending = ''] = blocksUnder(heading, here);
    const shell = startShell({ DATA_DIR: folder });
    const sees = (text: string) => vi.waitUntil(() => shell.output().includes(text), { timeout: 20_000 });
    shell.type(`${registering}echo registered\n`);
    await sees('registered');
    shell.type(listening);
    await sees('"event":"pusher_internal:subscription_succeeded"');
    shell.type(`${sending}echo followed\n`);
    await sees('followed');
    await sees('"event":"message"');
    const output = shell.output();
    // What the socket gets may come between an answer and its end of line.
    const answers = output.matchAll(/\{"code":(\d+),"msg":"[^"]*","data":(\{[^}]*\}|[^}]*)\}/g);
    const answered = Array.from(answers, ([, code, data]) => [code, data]);
    expect(answered.map(([code]) => code)).toEqual(['0', '0', '0', '0', '0']);
    expect(answered.slice(-3).map(([, data]) => data)).toEqual(['1', '[]', '0']);
    expect(output).toContain('吃了吗');
    expect(output).toMatch(/UserRegistered[\s\S]*Befriended[\s\S]*MessageSent[\s\S]*ReadTo/);
  },
  60_000,
);
