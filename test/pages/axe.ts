import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { z } from 'zod';

const source = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const Found = z.object({
  violations: z.array(
    z.object({
      id: z.string(),
      impact: z.string().nullish(),
      nodes: z.array(z.object({ html: z.string() })),
    }),
  ),
});

/** Expects that axe finds nothing serious in what the page shows now. @param state names that in a failure */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(await source);
  const { violations } = Found.parse(await page.evaluate('axe.run({ resultTypes: ["violations"] })'));
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${state}: ${id} at ${nodes[0]?.html}`);
  expect(serious).toEqual([]);
}
