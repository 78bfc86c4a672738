import { execFileSync } from 'node:child_process';

/** Whether a program is on the PATH, and answers when it is asked for its version. */
export function isInstalled(program: string, version = '--version'): boolean {
  try {
    execFileSync(program, [version], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
