import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { z } from 'zod';
import { readEnvironment } from '../../services/environment.ts';
import { postgresFolder } from '../../services/installation.ts';
import { startOfLog } from '../../services/log/log.ts';
import { openLog } from '../../services/log/open.ts';
import { runningEmbeddedUrl } from '../../services/postgres/embedded/embedded.ts';
import { fill, type Household } from './home-filling.ts';
import type { RunningProgram } from './program.ts';

/** Writes the events to the log of the running program, and waits until its read models show them. */
export async function fillProgram(program: RunningProgram, household: Household): Promise<void> {
  const environment = readEnvironment();
  const url = environment.databaseUrl ?? (await runningEmbeddedUrl(postgresFolder(program.folder)));
  if (url === undefined) throw new Error('the embedded Postgres does not run');
  const log = await openLog(environment, url, pino({ level: 'warn' }));
  try {
    if ((await log.end()) !== startOfLog) throw new Error('this needs a database in which nothing is');
    const began = performance.now();
    const events = await fill(log, household);
    const rate = () => Math.round((events / (performance.now() - began)) * 1000);
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${events} events written in ${seconds()} s: ${rate()} a second`);
    await caughtUp(program);
    console.log(`and in the read models after ${seconds()} s: ${rate()} a second`);
  } finally {
    await log.close();
  }
}

const Readiness = z.object({ parts: z.object({ projections: z.object({ lag_ms: z.number().nullable() }) }) });

async function caughtUp(program: RunningProgram): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${program.port}/ready`);
    if (Readiness.parse(await answer.json()).parts.projections.lag_ms === 0) return;
    await delay(250);
  }
}
