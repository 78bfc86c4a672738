import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { variableNames } from '../../services/environment-variables.ts';
import { temporaryFolder } from '../support/folder.ts';
import { postgresPid } from '../support/installation.ts';
import { isInstalled } from '../support/installed.ts';
import { startProgram } from '../support/process.ts';

const folder = 'docs/systemd';

/** The values of a unit by their names, in their order. */
async function unit(file: string): Promise<Map<string, string[]>> {
  const values = new Map<string, string[]>();
  for (const line of (await readFile(join(folder, file), 'utf8')).split('\n')) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

const files = await readdir(folder);
const services = await Promise.all(
  files.filter((file) => file.endsWith('.service')).map(async (file) => [file, await unit(file)] as const),
);

/** The variables that a unit gives. */
function environmentOf(values: Map<string, string[]>): Record<string, string> {
  const lines = (values.get('Environment') ?? []).flatMap((line) => line.split(' '));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** The file of the project that a unit runs, with its arguments; `%i` is the name behind the unit's `@`. */
function commandOf(values: Map<string, string[]>, instance = ''): string[] {
  const [env, node, option, ...command] = (values.get('ExecStart')?.[0] ?? '')
    .replaceAll('%i', instance)
    .split(' ');
  expect([env, node, option]).toEqual(['/usr/bin/env', 'node', '--env-file-if-exists=.env']);
  return command;
}

describe('the units of systemd in docs/systemd', () => {
  test.each(services)(
    '%s gives variables that the program knows, and runs a file that exists',
    (file, values) => {
      const { PATH: path, NODE_COMPILE_CACHE: compiled, ...given } = environmentOf(values);
      expect(path).toMatch(/^\/opt\/bubble-im\/node_modules\/\.bin:/);
      // Where systemd lets the unit write.
      const [cache] = values.get('CacheDirectory') ?? [];
      expect(compiled).toBe(cache && `/var/cache/${cache}`);
      if (values.get('ProtectSystem')?.[0] === 'strict') expect(cache).toBe('bubble-im');
      for (const name of Object.keys(given)) expect(variableNames).toContain(name);
      const instances = file.includes('@') ? ['api', 'projector', 'gateway', 'auditor'] : [''];
      for (const instance of instances) expect(existsSync(commandOf(values, instance)[0] ?? '')).toBe(true);
      for (const first of values.get('ExecStartPre') ?? []) {
        expect(existsSync(first.replace('/usr/bin/env node ', ''))).toBe(true);
      }
      for (const timeout of values.get('TimeoutStopSec') ?? []) expect(Number(timeout)).toBeGreaterThan(90);
      expect(values.get('User')).toEqual(['bubble']);
    },
  );

  test.skipIf(!isInstalled('systemd-analyze'))(
    'are units to systemd, without a complaint (needs systemd-analyze)',
    async () => {
      const copies = await temporaryFolder();
      const copied = files.map((file) => ({
        from: join(folder, file),
        // A template is verified as one of its instances.
        to: join(copies, file.replace('@.', '@api.')),
      }));
      for (const { from, to } of copied) await copyFile(from, to);
      const { stderr } = await promisify(execFile)('systemd-analyze', [
        'verify',
        ...copied.map(({ to }) => to),
      ]);
      expect(stderr.split('\n').filter((line) => line.includes('bubble-im'))).toEqual([]);
    },
  );

  test('start a program that ends in good order if it alone is asked to, its Postgres last', {
    timeout: 60_000,
  }, async () => {
    const values = await unit('bubble-im.service');
    expect(values.get('KillMode')).toEqual(['mixed']);
    const [program = '', ...parameters] = commandOf(values);
    const { PATH: _path, NODE_COMPILE_CACHE: _compiled, ...given } = environmentOf(values);
    const dataFolder = await temporaryFolder();
    const running = startProgram(program, parameters, { ...given, DATA_DIR: dataFolder, PORT: '0' });
    onTestFinished(async () => {
      const left = await postgresPid(dataFolder);
      if (left !== undefined) process.kill(left, 'SIGQUIT');
    });
    await running.line(/bubble-im runs/);
    running.signal('SIGTERM');
    expect(await running.ended).toBe(0);
    expect(await postgresPid(dataFolder)).toBeUndefined();
  });
});
