import { expect, test } from 'vitest';
import { z } from 'zod';
import { popGet } from '../../contracts/http/pop.ts';
import { temporaryFolder } from '../support/folder.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { startProgram } from '../support/process.ts';
import { startStandalone } from '../support/standalone.ts';

const LoggedIn = z.object({ uid: z.int(), token: z.string() });

async function demo(environment: Readonly<Record<string, string>>) {
  const program = startProgram('scripts/demo.ts', [], environment);
  const code = await program.ended;
  return { code, output: program.lines().join('\n'), error: program.stderr() };
}

test('npm run demo gives an empty installation people who chat, and no other one', async () => {
  const dataFolder = await preparedFolder();
  const bubble = await startStandalone(dataFolder);
  const environment = { DATA_DIR: dataFolder, PORT: String(bubble.port) };

  const { code, output, error } = await demo(environment);
  expect([code, error]).toEqual([0, '']);
  const logins = [...output.matchAll(/^ {2}(\w+) +password (\S+)$/gm)];
  expect(logins.map(([, username]) => username)).toEqual(['tom', 'jerry']);
  for (const [, username = '', password = ''] of logins) {
    const login = await bubble.call('/api/login/login', 'nobody', { username, password });
    const { token } = LoggedIn.parse(login.data);
    const { chatting } = popGet.data.parse((await bubble.call('/api/pop/get', { token })).data);
    const chats = Object.values(chatting);
    expect(chats.map(({ name }) => name)).toEqual(expect.arrayContaining(['泡泡项目组', '周末爬山']));
    expect(chats.some(({ unread_count }) => unread_count > 0)).toBe(true);
  }

  const again = await demo(environment);
  expect(again).toMatchObject({ code: 1, output: '' });
  expect(again.error).toBe('demo: somebody is registered there already: nothing was changed\n');
});

test('npm run demo without a running program says to start it', async () => {
  const { code, error } = await demo({ DATA_DIR: await temporaryFolder(), PORT: '1' });
  expect(code).toBe(1);
  expect(error).toMatch(/^demo: nothing answers at http:\/\/127\.0\.0\.1:1: start the program first/);
});
