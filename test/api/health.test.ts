import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { healthRoutes, logProbe, movingProbe, type Probe, type Probes } from '../../services/api/health.ts';
import type { Position } from '../../services/log/log.ts';
import { auditedLogs } from '../support/auditing.ts';
import { uid } from '../support/events.ts';

const [[, openPostgres]] = auditedLogs;

const well: Probe = () => ({ ready: true });

/** What `/ready` reports of some parts. */
async function ready(needed: Probes, others?: Probes) {
  const server = Fastify();
  healthRoutes(server, needed, others);
  const answer = await server.inject({ url: '/ready' });
  return [answer.statusCode, answer.json()];
}

test('a program is ready if all its parts are, and reports the details of each', async () => {
  const projections = () => ({ ready: true, lag_ms: 12 });
  expect(await ready({ database: well, projections })).toEqual([
    200,
    { ready: true, parts: { database: { ready: true }, projections: { ready: true, lag_ms: 12 } } },
  ]);
});

test.each<[string, Probe, object]>([
  ['says no', () => ({ ready: false }), {}],
  ['fails', () => Promise.reject(new Error('away')), { reason: 'it cannot be reached' }],
  [
    'fails at once',
    () => {
      throw new Error('away');
    },
    { reason: 'it cannot be reached' },
  ],
  ['does not answer', () => new Promise(() => {}), { reason: 'no answer within 2000 ms' }],
  ['does not move', movingProbe(() => 5001), { reason: 'it has had work for 5001 ms and has not moved' }],
  [
    'has stopped',
    movingProbe(
      () => 0,
      () => ({ reason: 'an event cannot be projected', position: '42' as Position }),
    ),
    { reason: 'an event cannot be projected', position: '42' },
  ],
])('a program is not ready while a part of it %s', async (_, bus, reason) => {
  expect(await ready({ database: well, bus })).toEqual([
    503,
    { ready: false, parts: { database: { ready: true }, bus: { ready: false, ...reason } } },
  ]);
});

test('a part that has work and moves is ready', async () => {
  expect(await ready({ ids: movingProbe(() => 4999) })).toEqual([
    200,
    { ready: true, parts: { ids: { ready: true } } },
  ]);
});

test('a program is ready without a part that most calls do not need, and names that part as degraded', async () => {
  expect(await ready({ database: well }, { files: () => ({ ready: false }) })).toEqual([
    200,
    { ready: true, degraded: ['files'], parts: { database: { ready: true }, files: { ready: false } } },
  ]);
});

test('a process that answers is alive', async () => {
  const server = Fastify();
  healthRoutes(server, { database: () => ({ ready: false }) });
  expect((await server.inject({ url: '/health' })).json()).toEqual({ alive: true });
});

test('a program is not ready while its log does not name the installation that it named before', async () => {
  const { log, query, append, close } = await openPostgres();
  onTestFinished(close);
  await log.found({ installation: 'ours', epoch: 'one' });
  const probe = logProbe(log);
  expect(await probe()).toEqual({ ready: true });
  await append({ type: 'AccountDisabled', data: { uid: uid(1) } });
  await query('delete from log.identity');
  expect(await probe()).toEqual({
    ready: false,
    reason: expect.stringContaining("its stream 'installation' (behind STREAM_PREFIX)"),
  });
  await query('delete from log.identity');
  await log.found({ installation: 'another', epoch: 'one' });
  expect(await probe()).toMatchObject({ reason: expect.stringContaining('not to ours') });
});
