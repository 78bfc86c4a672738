import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A condition comes when it comes: on a busy machine a server takes more than vitest's second to end.
    expect: { poll: { timeout: 10_000 } },
  },
});
