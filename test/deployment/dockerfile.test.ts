import { execFile } from 'node:child_process';
import { cp, readdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram } from '../support/process.ts';

const Command = z.tuple([z.literal('node')], z.string());

/** The instructions of the image that is run: those of the Dockerfile's last stage. */
async function lastStage(): Promise<{ readonly name: string; readonly text: string }[]> {
  const file = (await readFile('Dockerfile', 'utf8')).replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n/g, ' ');
  const instructions = file
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1) }));
  return instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
}

const instructions = await lastStage();
const of = (name: string) => instructions.filter((each) => each.name === name).map(({ text }) => text);
/** The command of an instruction that gives it as JSON. */
const commandOf = (text: string | undefined) =>
  Command.parse(JSON.parse(text?.slice(text.indexOf('[')) ?? '')).slice(1);

/** What the image copies from the project, by the names of its top level. */
const copied = of('COPY')
  .filter((text) => !text.startsWith('--from'))
  .flatMap((text) => text.split(/\s+/).slice(0, -1));

describe('the image of the Dockerfile', () => {
  test('runs as a user who is not root, and has no secret', () => {
    expect(of('USER')).toEqual(['node']);
    expect([...of('ENV'), ...of('ARG')].join(' ')).not.toMatch(/SECRET|PASSWORD|KEY/);
  });

  test('is given all that it copies', async () => {
    const ignored = (await readFile('.dockerignore', 'utf8')).split('\n');
    for (const name of copied) expect(ignored).toContain(`!${name}`);
  });

  test('starts with what it copies and compiled, is healthy, and ends when it is asked to', {
    timeout: 90_000,
  }, async () => {
    const image = await temporaryFolder();
    for (const name of copied) await cp(name, join(image, name), { recursive: true });
    await symlink(resolve('node_modules'), join(image, 'node_modules'));
    const cache = await temporaryFolder();
    const compiled = async () => (await readdir(cache, { recursive: true })).length;
    const compiling = of('RUN').filter((text) => text.startsWith('node '));
    expect(compiling).toHaveLength(1);
    const [, ...compile] = compiling[0]?.split(' ') ?? [];
    await promisify(execFile)(process.execPath, compile, {
      cwd: image,
      env: { NODE_COMPILE_CACHE: cache },
    });
    const before = await compiled();
    expect(before).toBeGreaterThan(100);
    const environment = {
      NODE_COMPILE_CACHE: cache,
      PORT: String(await freePort()),
      DATA_DIR: await temporaryFolder(),
      LOG_LEVEL: 'warn',
    };
    const [program = '', ...parameters] = commandOf(of('CMD')[0]);
    const running = startProgram(join(image, program), parameters, environment);
    await running.line(/bubble-im runs/);
    const check = commandOf(of('HEALTHCHECK')[0]);
    await promisify(execFile)(process.execPath, check, { env: environment });
    running.signal('SIGTERM');
    expect(await running.ended).toBe(0);
    // The rest is loaded only with what a start finds.
    expect((await compiled()) - before).toBeLessThan(before / 4);
    await vi.waitFor(() =>
      expect(promisify(execFile)(process.execPath, check, { env: environment })).rejects.toMatchObject({
        code: 1,
      }),
    );
  });
});
