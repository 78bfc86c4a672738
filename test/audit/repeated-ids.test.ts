import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DomainEvent } from '../../contracts/events/index.ts';
import { directorySources } from '../../services/audit/as-of/directory.ts';
import { sourcesOf } from '../../services/audit/as-of/scope.ts';
import type { EventFilter } from '../../services/audit/events/filter.ts';
import { findEvents } from '../../services/audit/events/find-events.ts';
import { AuditSearch, type Coverage } from '../../services/audit/index/search.ts';
import { presentMoment } from '../../services/audit/moment.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { audit } from '../support/audited-tree.ts';
import { openEventStoreDB } from '../support/auditing.ts';
import { created, gid, mid, registered, uid } from '../support/events.ts';
import { newEventId } from '../support/projecting.ts';
import { appendUnder } from '../support/repeated-ids.ts';

describe('what is asked of a log in EventStoreDB (a double), of which a group has an event under the id of another', () => {
  let world: Awaited<ReturnType<typeof openEventStoreDB>>;
  let pool: Pool;
  let coverage: Coverage;
  const joined: DomainEvent = {
    type: 'MemberJoined',
    data: { gid: gid(50), uid: uid(3), noticeMid: mid(9) },
  };
  const given: DomainEvent = { type: 'GroupTransferred', data: { gid: gid(50), from: uid(1), to: uid(3) } };
  beforeAll(async () => {
    world = await openEventStoreDB();
    pool = new Pool({ connectionString: world.url });
    const [createdId, appointedId] = [newEventId(), newEventId()];
    for (const id of [1, 2, 3]) await world.append(registered(id, `人${id}`));
    await world.append(created(50, '群', 1, 2), { id: createdId });
    await world.append(
      { type: 'ManagerAppointed', data: { gid: gid(50), uid: uid(2) } },
      { id: appointedId },
    );
    await appendUnder(world, createdId, joined);
    await appendUnder(world, appointedId, given);
    const before = Date.now();
    await vi.waitUntil(() => Date.now() > before);
    await world.append({ type: 'ProfileChanged', data: { uid: uid(3), sign: 'x' } });
    await audit(world);
    const found = await new AuditSearch(pool).coverage(world.log);
    if (!found) throw new Error('there is no index');
    coverage = found;
  });
  afterAll(async () => {
    await pool.end();
    await world.close();
  });

  const foundBy = async (filter: EventFilter, reverse: boolean, indexed: boolean) => {
    const index = indexed ? { search: new AuditSearch(pool), coverage } : undefined;
    const found = await Array.fromAsync(findEvents({ log: world.log, index, filter, reverse }));
    return found.map(({ record: { stream, revision } }) => `${stream}@${revision}`);
  };

  test.each([
    [{ about: uid(3) }, ['user-3@0', 'group-50@2', 'group-50@3', 'user-3@1']],
    [{ types: ['MemberJoined'] }, ['group-50@2']],
    [{ categories: ['group'] }, ['group-50@0', 'group-50@1', 'group-50@2', 'group-50@3']],
  ] satisfies [EventFilter, string[]][])(
    '%j finds the same with the index as without it',
    async (filter, wanted) => {
      for (const indexed of [true, false]) {
        expect(await foundBy(filter, false, indexed)).toEqual(wanted);
        expect(await foundBy(filter, true, indexed)).toEqual(wanted.toReversed());
      }
    },
  );

  test('what was recorded until a time holds it, also as the last event', async () => {
    const [last] = await Array.fromAsync(world.log.readStream(streamName('user-3'), { from: 1 }));
    const wanted = [
      'user-1@0',
      'user-2@0',
      'user-3@0',
      'group-50@0',
      'group-50@1',
      'group-50@2',
      'group-50@3',
    ];
    for (const indexed of [true, false])
      expect(await foundBy({ until: last?.recorded }, false, indexed)).toEqual(wanted);
  });

  test('as-of knows of the group of who became a member by it', async () => {
    const scope = { of: 'people', people: [uid(3)], profiles: [], messages: 'all' } as const;
    const index = { queries: pool, coverage };
    const { events } = await sourcesOf(world.log, index, scope, presentMoment(Date.now()));
    expect(events.map((event) => event.type)).toContain('MemberJoined');
  });

  test('as-of knows of the group of who became its owner by it', async () => {
    const asked = { of: 'groups', gids: [], owners: [uid(3)] } as const;
    const index = { queries: pool, coverage };
    const { events } = await directorySources(
      world.log,
      index,
      asked,
      presentMoment(Date.now()),
      () => undefined,
    );
    const types = (await Array.fromAsync(events)).map((event) => event.type);
    expect(types).toContain('GroupCreated');
  });
});
