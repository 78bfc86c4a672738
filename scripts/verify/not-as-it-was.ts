/** Sets the exit code 1, and says on stderr where it is written what to do. */
export function notAsItWas(): void {
  process.exitCode = 1;
  process.stderr.write('verify: what to do is in docs/operations.md, "What verify says, and what to do"\n');
}
