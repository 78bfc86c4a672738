import { describe, expect, test } from 'vitest';
import { type RunningProgram, startProgram } from '../support/process.ts';

function run(wrong = 'nothing'): RunningProgram {
  return startProgram('test/start/lifecycle-program.ts', [wrong], { LOG_LEVEL: 'info' });
}

describe('a program of several parts', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    test(`${signal} stops them in reverse order, one after the other, and ends with 0`, async () => {
      const program = run();
      await program.line(/^all run$/);
      program.signal(signal);
      expect(await program.ended).toBe(0);
      expect(program.lines()).toEqual([
        'first starts',
        'second starts',
        'third starts',
        'all run',
        'third stops',
        'third stopped',
        'second stops',
        'second stopped',
        'first stops',
        'first stopped',
      ]);
    });
  }

  test('a second signal ends it at once, and signals what would outlive it', async () => {
    const program = run('stop hangs');
    await program.line(/^all run$/);
    program.signal('SIGTERM');
    await program.line(/^second stops$/);
    program.signal('SIGINT');
    expect(await program.ended).toBe(130);
    expect(program.lines().slice(-2)).toEqual(['second abandoned', 'first abandoned']);
  });

  test('the same signal twice within 500 ms, as from npm, counts once', async () => {
    const program = run();
    await program.line(/^all run$/);
    program.signal('SIGINT');
    await program.line(/^third stops$/);
    program.signal('SIGINT');
    expect(await program.ended).toBe(0);
    expect(program.lines().at(-1)).toBe('first stopped');
  });

  test('a part that does not stop in time is named, and the process ends', async () => {
    const program = run('stop hangs, with a short timeout');
    await program.line(/^all run$/);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain('"part":"second","msg":"a part did not stop in time');
    expect(program.lines().at(-1)).toBe('first abandoned');
  });

  test('a part that stops with an error is named, and the others are stopped', async () => {
    const program = run('stop fails');
    await program.line(/^all run$/);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain('will not');
    expect(program.lines().slice(-2)).toEqual(['first stops', 'first stopped']);
  });

  test('a start that fails is reported in one line, and the started parts are stopped', async () => {
    const program = run('start fails');
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toBe('bubble-im: no third today\n');
    expect(program.lines().slice(-4)).toEqual([
      'second stops',
      'second stopped',
      'first stops',
      'first stopped',
    ]);
  });

  test('a signal during the start starts nothing more, and it ends with 0', async () => {
    const program = run('start is slow');
    await program.line(/^second starts$/);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.lines()).not.toContain('third starts');
    expect(program.lines().slice(-3)).toEqual(['second stopped', 'first stops', 'first stopped']);
  });

  test.each(['a part fails', 'nobody catches'])('%s: it stops its parts and ends with 1', async (wrong) => {
    const program = run(wrong);
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toMatch(/broken|thrown away/);
    expect(program.lines().slice(-2)).toEqual(['first stops', 'first stopped']);
  });

  test('a wrong environment is reported in one line', async () => {
    const program = startProgram('test/start/lifecycle-program.ts', [], { PORT: 'http' });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toBe('bubble-im: PORT must be a whole number from 0 to 65535, not "http"\n');
  });
});
