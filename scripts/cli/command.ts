import { Command } from 'commander';
import { reasonOf } from '../../services/error-reason.ts';
import { interruptible } from './interruption.ts';

/** What an operator's command says of itself. */
export interface CommandInfo {
  /** As in `npm run <name>`. */
  readonly name: string;
  readonly description: string;
  /** Argument lines for the help, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Further text at the end of the help. */
  readonly notes?: string;
}

/** Nothing matches what was asked for: said instead of an empty answer. */
export class NothingMatches extends Error {
  override readonly name = 'NothingMatches';
}

/** A command whose help has examples, and whose errors name what would be right. */
export function operatorCommand({ name, description, examples, notes }: CommandInfo): Command {
  const lines = examples.map(
    ([line, does]) => `  npm run ${name}${line === '' ? '' : ` -- ${line}`}\n      ${does}`,
  );
  const rest = notes === undefined ? '' : `\n\n${notes}`;
  return new Command(name)
    .usage('[options]')
    .description(description)
    .helpOption('-h, --help', 'shows this help')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}${rest}`)
    .showHelpAfterError(`(npm run ${name} -- --help shows all options, with examples)`)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, `${name}:`)) })
    .hook('preAction', refuseEmptyOptions);
}

/**
 * Ends the process if an option was given an empty text, as `--to "$FOLDER"` gives if the variable is not set: an empty
 * path would be the current folder. An option that is empty by default takes it.
 */
function refuseEmptyOptions(command: Command): void {
  for (const option of command.options) {
    if (command.getOptionValue(option.attributeName()) === '' && option.defaultValue !== '')
      command.error(`error: option '${option.flags}' is empty: give it a value`);
  }
}

/**
 * Runs a command with the arguments of the process. What it throws is one line on stderr, `name: reason`, and the
 * exit code 1. What it throws after it was interrupted came of that: the exit code is that of `interruptible`.
 */
export async function runCommand(command: Command): Promise<void> {
  const signal = interruptible();
  try {
    await command.parseAsync();
  } catch (error) {
    if (signal.aborted) return;
    process.stderr.write(`${command.name()}: ${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}
