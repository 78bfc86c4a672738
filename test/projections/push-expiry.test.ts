import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expirePushes } from '../../projections/runner/push-expiry.ts';
import type { Position } from '../../services/log/log.ts';
import { openClient } from '../../services/postgres/connect.ts';
import { created, sent } from '../support/events.ts';
import { openProjectorsWorld, type ProjectorsWorld, talk } from '../support/projectors.ts';

let world: ProjectorsWorld;
beforeEach(async () => {
  world = await openProjectorsWorld();
});
afterEach(() => world.close());

describe('pushes past their time', () => {
  it('are deleted except the newest of them', async () => {
    await world.given(created(50, '群', 1, 2), ...[1, 2, 3].map((number) => sent(talk, 1, number, 'x')));
    await world.project();
    const rows = await world.query<{ place: Position; number: number }>(
      'select place, number from pushes.push order by place, number',
    );
    const expire = () => expirePushes(world.url, new AbortController().signal);
    expect(await expire()).toBe(0);
    const newest = rows[4];
    await world.query(
      `update pushes.push set created = now() - interval '8 days' where (place, number) <= ($1, $2)`,
      [newest?.place, newest?.number],
    );
    expect(await expire()).toBe(4);
    expect(await world.query('select place, number from pushes.push order by place, number')).toEqual(
      rows.slice(4),
    );
    expect(await expire()).toBe(0);
  });

  it('are deleted by one projector at a time, and a second one does not wait for it', async () => {
    await world.given(created(50, '群', 1, 2), ...[1, 2, 3].map((number) => sent(talk, 1, number, 'x')));
    await world.project();
    await world.query(`update pushes.push set created = now() - interval '8 days'`);
    const first = await openClient(world.url, { name: 'another expiry', statementTimeoutMs: 10_000 });
    await first.query(`begin; select pg_advisory_xact_lock(hashtextextended('pushes.push expiry', 0))`);
    await first.query('select from pushes.push for update');
    const expire = () => expirePushes(world.url, new AbortController().signal);
    expect(await expire()).toBe(0);
    await first.query('rollback');
    expect(await expire()).toBeGreaterThan(0);
    expect(await world.query('select 1 from pushes.push')).toHaveLength(1);
    await first.end();
  });
});
