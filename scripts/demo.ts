import { loadAppKeys } from '../services/app-keys/app-keys.ts';
import { readEnvironment } from '../services/environment.ts';
import { urlOf } from '../services/listening.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { isEmpty, newPassword, register } from './demo/cast.ts';
import { people } from './demo/people.ts';
import { mustAnswer, Server } from './demo/server.ts';
import { tell } from './demo/story.ts';
import { Talk } from './demo/talk.ts';

/** `npm run demo`: fills a running, empty installation with a few people who chat, to look at. */

const command = operatorCommand({
  name: 'demo',
  description:
    'Fills a running installation in which nobody is registered with a few people, two groups, pictures and talk, by ' +
    'the API and with the key of the server, and prints two logins.',
  examples: [
    ['', 'fills what "npm start" runs on this machine'],
    [
      '--url https://chat.example.com',
      'fills another one, whose APP_KEY and APP_SECRET are in the environment',
    ],
  ],
})
  .option('--url <address>', 'where the installation listens; by default as HOST and PORT say')
  .action(run);

async function run({ url }: { readonly url?: string }): Promise<void> {
  const { host, port, dataFolder, appKeys } = readEnvironment();
  const address = (url ?? urlOf({ host, port })).replace(/\/+$/, '');
  await mustAnswer(address);
  const server = new Server(address, await loadAppKeys(dataFolder, appKeys));
  if (!(await isEmpty(server))) throw new Error('somebody is registered there already: nothing was changed');
  const password = newPassword();
  const uids = await register(server, password);
  await tell(new Talk(server, uids));
  const { tom, jerry } = people;
  console.log(
    `${Object.keys(people).length} people chat at ${address}/chat/. Log in, in two browsers, as\n` +
      `  ${tom.username.padEnd(8)} password ${password}\n` +
      `  ${jerry.username.padEnd(8)} password ${password}\n` +
      'The console at /console/ explains why wangwei may not speak. The examples at /docs can be tried with the token that\n' +
      'login/login answers to tom.',
  );
}

await runCommand(command);
