import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { seedPassword } from '../../scripts/seed/fill-accounts.ts';
import { history } from '../../scripts/seed/history.ts';
import { seedInstallation } from '../../scripts/seed/seed-installation.ts';
import { accountsDatabase } from '../../services/accounts/accounts-tables.ts';
import { streamOfEvent } from '../../services/domain/stream-of-event.ts';
import { appendInOrder } from '../../services/log/append-in-order.ts';
import { decode } from '../../services/log/codec.ts';
import type { Position, RecordedEvent } from '../../services/log/log.ts';
import { openPostgresLog } from '../../services/log/postgres/postgres-log.ts';
import { createPool } from '../../services/postgres/pool.ts';
import { silent } from '../support/accounts.ts';
import { startApplication } from '../support/application.ts';
import { call } from '../support/client.ts';
import { createDatabase } from '../support/database.ts';
import { openWorld } from '../support/projecting.ts';
import { recordedAs } from '../support/recorded.ts';

const eventsOf = (events: number, seed: string) =>
  [...history({ events, seed })].flatMap((append) =>
    append.events.map((event) => ({ stream: append.stream, ...event })),
  );

describe('a seeded history', () => {
  test.each([1, 2, 15, 3000])('of %i events has that many', (events) => {
    expect(eventsOf(events, 'count')).toHaveLength(events);
  });

  test('is the same for the same seed, and another for another', () => {
    const once = eventsOf(2000, 'seven');
    expect(eventsOf(2000, 'seven')).toEqual(once);
    expect(eventsOf(2000, 'eight')).not.toEqual(once);
  });

  test('has events that can be read, each in the stream of its data', () => {
    const position = '0000000000000001' as Position;
    for (const { stream, ...event } of eventsOf(60_000, 'kinds')) {
      const record = recordedAs(event, { stream, revision: 0, position, recorded: 0 });
      expect(() => decode(record)).not.toThrow();
      expect(streamOfEvent(record)).toBe(stream);
    }
  });

  test('has ids that are all different and times that never go back, over months that have passed', () => {
    const events = eventsOf(3000, 'times');
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    const times = events.map(({ metadata }) => Number(metadata.time));
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times.at(-1)).toBeGreaterThan((times[0] ?? 0) + 200 * 86_400_000);
    expect(times.at(-1)).toBeLessThan(Date.now());
  });

  test('has people who talk, read, mute, revoke, leave groups and come back', () => {
    const events = eventsOf(60_000, 'kinds');
    const types = new Set(events.map(({ type }) => type));
    expect([...types]).toEqual(
      expect.arrayContaining([
        ...['UserRegistered', 'ProfileChanged', 'AccountDisabled', 'AccountEnabled', 'MembershipGranted'],
        ...['FriendApplied', 'FriendAgreed', 'FriendRefused', 'FriendRemarked', 'Unfriended', 'Befriended'],
        ...['GroupCreated', 'MembersAdded', 'MemberJoined', 'MemberLeft', 'MembersRemoved', 'MembersInvited'],
        ...[
          'MemberMuted',
          'MemberUnmuted',
          'GroupMuted',
          'GroupUnmuted',
          'ManagerAppointed',
          'GroupTransferred',
        ],
        ...['MessageSent', 'MessageRevoked', 'MessageDeleted', 'ReadTo', 'ChatPinned', 'ChatHidden'],
        ...['UnreadMarked', 'ReplyAdded', 'AllowanceUsed', 'SettingsChanged', 'InvitationAnswered'],
      ]),
    );
    const left = new Set<string>();
    const back = events.filter(({ stream, type, data }) => {
      if (type === 'MemberLeft') left.add(`${stream} ${data.uid}`);
      return type === 'MemberJoined' && left.has(`${stream} ${data.uid}`);
    });
    expect(back.length).toBeGreaterThan(0);
  });
});

describe('a seeded history in a log', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  afterAll(() => world?.close());

  test('has its order there, and is projected without a refusal', async () => {
    world = await openWorld();
    await appendInOrder(world.log, history({ events: 4000, seed: 'log' }), () => undefined);
    const records: RecordedEvent[] = [];
    for await (const record of world.log.readAll()) records.push(record);
    expect(records.map(({ id, stream }) => ({ id, stream }))).toEqual(
      eventsOf(4000, 'log').map(({ id, stream }) => ({ id, stream })),
    );
    await world.project();
    expect(await world.query('select position from followers.checkpoint')).toEqual([
      { position: records.at(-1)?.position },
    ]);
    const sent = records.filter(({ type }) => type === 'MessageSent').length;
    const [shown] = await world.query<{ messages: string }>(
      "select count(*) as messages from read.messages where sub_type = 'message' and mid is not null",
    );
    const greeted = records.filter(({ type }) => type === 'FriendAgreed').length;
    expect(Number(shown?.messages)).toBe(sent + greeted);
  });
});

describe('a seeded installation', () => {
  test('serves its people, who log in with the known password, and gives new people other ids', async () => {
    const running = await startApplication();
    const { log } = running.application;
    const pool = createPool(running.databaseUrl, silent);
    try {
      const options = { events: 3000, seed: 'program' };
      const { people } = await seedInstallation(
        { log, accounts: accountsDatabase(pool) },
        options,
        () => undefined,
      );
      await running.shown();
      const login = { username: 'seed2', password: seedPassword };
      expect(await call(running, 'POST', '/login/login', login, {})).toMatchObject({
        code: 0,
        data: { uid: 2 },
      });
      const added = { username: 'newcomer', nickname: 'new', password: 'secret-1' };
      const { data } = await call(running, 'POST', '/user/add', added);
      const { uid } = z.object({ uid: z.int() }).parse(data);
      expect(uid).toBeGreaterThan(people);
      const message = { login_uid: uid, to: 1, type: 'friend', content: 'hello' };
      expect(await call(running, 'POST', '/message/send', message)).toMatchObject({ code: 0 });
      await expect(
        seedInstallation({ log, accounts: accountsDatabase(pool) }, options, () => undefined),
      ).rejects.toThrow('the log is not empty');
    } finally {
      await pool.end();
      await running.stop();
    }
  });

  test('is not made of one in which people have accounts', async () => {
    const database = await createDatabase();
    const log = await openPostgresLog({ connectionString: database.url });
    const pool = createPool(database.url, silent);
    try {
      await pool.query(
        `insert into accounts.accounts (uid, username, username_key, number_id, password_hash)
         values (1, 'tom', 'tom', 1000000, '')`,
      );
      const parts = { log, accounts: accountsDatabase(pool) };
      await expect(seedInstallation(parts, { events: 5, seed: '1' }, () => undefined)).rejects.toThrow(
        'there are accounts already',
      );
      expect(await log.end()).toBe('');
    } finally {
      await pool.end();
      await log.close();
      await database.drop();
    }
  });
});
