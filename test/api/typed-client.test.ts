import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { serverKey, startApplication } from '../support/application.ts';
import { describedApi } from '../support/described-api.ts';
import { temporaryFolder } from '../support/folder.ts';

const page = resolve('test/api/typed-client/calls.ts');

/** What TypeScript says of the page of calls, with the types that openapi-typescript makes of a document. */
async function faultsOf(document: string): Promise<string> {
  const folder = await temporaryFolder();
  const types = join(folder, 'openapi.d.ts');
  const source = join(folder, 'openapi.json');
  const project = join(folder, 'tsconfig.json');
  await writeFile(source, document);
  const run = promisify(execFile);
  await run(process.execPath, ['test/api/typed-client/generate-types.ts', source, types]);
  const options = {
    extends: resolve('tsconfig.json'),
    compilerOptions: { paths: { '#openapi': [types] }, typeRoots: [resolve('node_modules/@types')] },
    ...{ files: [page], include: [], exclude: [] },
  };
  await writeFile(project, JSON.stringify(options));
  const tsc = resolve('node_modules/.bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '--project', project]).catch((error: unknown) =>
    z.object({ stdout: z.string() }).parse(error),
  );
  return stdout;
}

test('a client with types of openapi.json alone fits them, and chats', async () => {
  const running = await startApplication();
  try {
    const answer = await running.server.inject({ url: '/openapi.json' });
    expect(await faultsOf(answer.body)).toBe('');
    const { talk } = z
      .object({ talk: z.custom<(url: string, key: typeof serverKey) => unknown>() })
      .parse(await import(/* @vite-ignore */ page));
    expect(await talk(running.url, serverKey)).toMatchObject({
      position: expect.stringMatching(/^\d+$/),
      texts: ['你好'],
      ...{ refusal: 'nothing there', members: ['汤姆', '杰瑞'], appName: '泡泡IM' },
    });
  } finally {
    await running.stop();
  }
}, 60_000);

test.each([
  ['a parameter has another name', /"to":/g, '"receiver":'],
  ['an answer lacks a field', /"mid":/g, '"number":'],
  ['a call may be refused with another code', /\[-1,1,2,101,85,/g, '[-1,1,2,101,85,702,'],
])(
  'the client does not fit any more if %s',
  async (_, part, instead) => {
    const text = JSON.stringify(describedApi());
    expect(text).toMatch(part);
    expect(await faultsOf(text.replaceAll(part, instead))).toContain('calls.ts');
  },
  60_000,
);
