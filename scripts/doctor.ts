import { InvalidArgumentError } from 'commander';
import { EnvironmentError, processVariables, readEnvironment } from '../services/environment.ts';
import { operatorCommand, runCommand } from './cli/command.ts';
import { escapeControls } from './cli/output.ts';
import { everywhere, examine } from './doctor/examination.ts';
import { examineAll, type Finding } from './doctor/finding.ts';
import { examineVariables, readEnvFile } from './doctor/variables.ts';

/** `npm run doctor`: examines an installation and the machine that it runs on. It changes nothing. */

interface Options {
  readonly public?: URL;
  readonly json?: true;
}

const command = operatorCommand({
  name: 'doctor',
  description:
    'Examines the installation that the environment names, and this machine: variables, versions, ports, the data folder, ' +
    'disk, limits, every server with its latency, certificate and clock, migrations, the log and how far the read models ' +
    'are, fonts, SMS and proxies. The program may run or be at rest; nothing is started or changed.',
  examples: [
    ['', 'one line for each finding: ok, warning or FAULT, and what to do'],
    [
      '--public https://im.example.com',
      'tries the way that clients take, too: proxy, certificate, websocket',
    ],
    ['--json', 'the findings as JSON: state, about, found, remedy'],
  ],
  notes:
    'It ends with code 1 if there is a fault, and with 0 if there are warnings alone. The embedded Postgres is not started: ' +
    'what is in it is examined while the program runs.',
})
  .option('--public <url>', 'where clients reach it; by default the setting ws_address says it', webAddress)
  .option('--json', 'prints the findings as one JSON array')
  .action(run);

function webAddress(text: string): URL {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL(text);
  throw new InvalidArgumentError(`"${text}" is no address such as https://im.example.com`);
}

async function run({ public: publicUrl, json }: Options): Promise<void> {
  const variables = examineVariables(processVariables(), readEnvFile('.env'));
  const machine = examineAll(everywhere);
  const installation = await examineInstallation(publicUrl);
  const all = [...variables, ...(await machine), ...installation];
  console.log(json ? JSON.stringify(all, undefined, 2) : reportOf(all));
  if (all.some(({ state }) => state === 'fault')) process.exitCode = 1;
}

/** None if the variables are wrong: those faults are to be mended first. */
async function examineInstallation(publicUrl: URL | undefined): Promise<Finding[]> {
  try {
    return await examine(readEnvironment(), publicUrl);
  } catch (error) {
    if (error instanceof EnvironmentError) return [];
    throw error;
  }
}

const shownStates = { ok: 'ok     ', warning: 'warning', fault: 'FAULT  ' } as const;

function reportOf(all: readonly Finding[]): string {
  const width = Math.max(...all.map(({ about }) => about.length));
  const lines = all.map(({ state, about, found, remedy }) => {
    const line = `${shownStates[state]}  ${about.padEnd(width)}  ${found}`;
    return escapeControls(remedy === undefined ? line : `${line}: ${remedy}`);
  });
  const count = (wanted: Finding['state']) => all.filter(({ state }) => state === wanted).length;
  return [...lines, '', `${count('fault')} faults, ${count('warning')} warnings`].join('\n');
}

await runCommand(command);
