import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { type Person, person } from '../support/client.ts';

let running: RunningApplication;
let tom: Person;
const chats = 50_000;

/** As many strangers as no test can register; each has said something to Tom, the last one last. */
async function fill(): Promise<void> {
  const { pool } = running.application;
  await pool.query(
    `insert into read.users (uid, username, nickname, avatar, sign, number_id, is_member, account_state)
     select 1000000 + n, 'crowd' || n, '人' || n, '', '', 900000000 + n, false, 'normal'
       from generate_series(1, $1::int) n`,
    [chats],
  );
  await pool.query(
    `insert into read.conversations
       (conversation, sequence, counted, last_message_sequence, dead_sequence, last_place, newest_mid,
        newest_sender, newest_content, newest_timestamp, newest_sub_type, newest_state)
     select 'f' || $2::bigint || '-' || 1000000 + n, 1, 1, 1, 0, lpad(n::text, 16, '0'), 900000000 + n,
            1000000 + n, '你好', 1700000000, 'message', 'normal'
       from generate_series(1, $1::int) n`,
    [chats, tom.uid],
  );
  await pool.query(
    `insert into read.inbox
       (uid, conversation, party, read_sequence, read_others, own, own_sequence, pinned, marked_unread)
     select $2::bigint, 'f' || $2::bigint || '-' || 1000000 + n, 1000000 + n, 0, 0, 0, 0, false, 0
       from generate_series(1, $1::int) n`,
    [chats, tom.uid],
  );
  await pool.query('analyze read.users, read.conversations, read.inbox');
}

beforeAll(async () => {
  running = await startApplication();
  tom = await person(running, 'tom');
  await fill();
});
afterAll(() => running.stop());

const Home = z.object({ chatting: z.record(z.string(), z.object({ unread_count: z.int() })) });
const listed = async (parameters = {}) => {
  const answer = await tom.get('/pop/get', parameters);
  return { bytes: JSON.stringify(answer).length, chatting: Home.parse(answer.data).chatting };
};

test('pop/get of 50,000 chats answers the 1,000 that moved last, and the others by pages', async () => {
  const { bytes, chatting } = await listed();
  const first = Object.keys(chatting);
  expect(first).toHaveLength(1_000);
  expect(first.slice(0, 2)).toEqual(['friend1050000', 'friend1049999']);
  expect(chatting.friend1050000).toEqual(expect.objectContaining({ unread_count: 1 }));
  expect(bytes).toBeLessThan(500_000);
  // A value above the maximum counts as the maximum.
  expect(Object.keys((await listed({ limit: 5_000 })).chatting)).toEqual(first);
  const next = Object.keys((await listed({ start: 1_000 })).chatting);
  expect(next[0]).toBe('friend1049000');
  expect(Object.keys((await listed({ start: 49_999 })).chatting)).toEqual(['friend1000001']);
  expect((await listed({ start: 50_000 })).chatting).toEqual({});
});

test('friend/get_temp_list of 50,000 strangers is given by pages as well', async () => {
  const Contacts = z.record(z.string(), z.record(z.string(), z.unknown()));
  const uids = async (parameters = {}) => {
    const { data } = await tom.get('/friend/get_temp_list', parameters);
    return Object.values(Contacts.parse(data)).flatMap((people) => Object.keys(people));
  };
  expect(await uids()).toHaveLength(1_000);
  expect(await uids({ limit: 2, start: 1_000 })).toEqual(['1001001', '1001002']);
});
