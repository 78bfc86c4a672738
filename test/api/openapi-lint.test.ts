import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { describedApi } from '../support/described-api.ts';

test('openapi.json has no error and no warning by the recommended rules of Redocly', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({
    source: JSON.stringify(describedApi()),
    absoluteRef: 'openapi.json',
    config,
  });
  const found = problems.map(
    ({ severity, ruleId, message, location }) =>
      `${severity} ${ruleId}: ${message} at ${location.map(({ pointer }) => pointer).join(', ')}`,
  );
  expect(found).toEqual([]);
});
