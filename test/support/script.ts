import { onTestFinished } from 'vitest';
import type { AtEnd } from './at-end.ts';
import { startProgram } from './process.ts';

/** How an operator's command ended. */
export interface ScriptResult {
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `scripts/<name>.ts` as `npm run <name> -- …parameters` does, with this environment. */
export async function runScript(
  name: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  atEnd: AtEnd = onTestFinished,
): Promise<ScriptResult> {
  const program = startProgram(`scripts/${name}.ts`, parameters, environment, atEnd);
  const code = await program.ended;
  return { code, stdout: program.lines().join('\n'), stderr: program.stderr() };
}
