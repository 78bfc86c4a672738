import { availableParallelism } from 'node:os';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const pages = 'test/pages/**/*.test.ts';

/** Files that run at the same time, each in a process of its own: most of them wait for servers half of the time. */
const atOnce = Math.max(2, availableParallelism() - 1);

const limits = {
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // A condition comes when it comes: on a busy machine a server takes more than vitest's second to end.
  expect: { poll: { timeout: 10_000 } },
};

const project = (test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration => ({
  test: { ...limits, ...test },
});

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      project({ name: 'parts', include: ['test/**/*.test.ts'], exclude: [pages], maxWorkers: atOnce }),
      // A browser uses several processors by itself: one at a time, after all others.
      project({ name: 'pages', include: [pages], fileParallelism: false, sequence: { groupOrder: 1 } }),
    ],
  },
});
