import { currentSchema } from '../../../projections/rebuild/sets.ts';
import { messages } from '../../../projections/tables.ts';
import { chatsLookedUp } from '../../queries/chats.ts';
import { inSchema } from './past-database.ts';

/* How the messages of the present read models are found for read models of the past (present-messages.ts). */

/**
 * The last messages before some events ($1 to $6) or the end ($11), of all and of some people ($7), and those that events name ($8 to $10),
 * in the order in which they are to be applied. If a notice is behind the last message of a conversation, it is found
 * too. Of a last one that the index has and the read models lack, all is null.
 */
export const neededMessages = `
  with point as materialized (
    select p.*, case when p.id is null then $11::bigint else
                  coalesce((select e.number from audit.events e where e.id = p.id and e.position = p.position),
                           audit.first_after(p.position)) end as number
      from unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[], $6::text[])
             as p (at, conversation, after_end, after_own, id, position)
  ), ended as (
    select p.at, p.conversation, p.number, p.after_end, p.after_own,
           e.id as last_id, e.mid as last_mid, e.number as last_number, e.position as last_place
      from point p
      left join lateral (
        select id, mid, number, position from audit.events
         where conversation = p.conversation and number < p.number and type = 'MessageSent'
         order by number desc limit 1) e on true
  ), last as (
    select e.at, e.after_end, e.after_own, e.last_place as place, m.*
      from ended e
      left join ${currentSchema}.messages m on m.mid = e.last_mid and m.event_id = e.last_id
     where e.last_id is not null and (m.mid is null or m.sequence > least(e.after_end, e.after_own))
  ), notice as (
    select e.at, n.position as place, m.*
      from ended e
      cross join lateral (
        select id, mid, position from audit.events
         where conversation = e.conversation and number < e.number and number > coalesce(e.last_number, -1)
           and mid is not null and type = any(array(select type from audit.types where category = 'group'))
         order by number desc limit 1) n
      left join ${currentSchema}.messages m on m.mid = n.mid and m.event_id = n.id
     where e.conversation >= 'g' and e.after_end is not null and (m.mid is null or m.sequence > e.after_end)
  )
  select at, 1 as step, 'end' as "as", place, ${columnsOf('last')} from last where mid is null or sequence > after_end
  union all
  select at, 2, 'end', place, ${columnsOf('notice')} from notice
  union all
  ${ownMessages(`l.conversation >= 'g'`, `o.conversation >= 'g'`)}
  union all
  ${ownMessages(`l.conversation < 'g'`, 'true')}
  union all
  select n.at, 4, 'named', null, ${columnsOf('m')}
    from unnest($8::integer[], $9::text[], $10::bigint[]) as n (at, conversation, sequence)
    join ${currentSchema}.messages m on m.conversation = n.conversation and m.sequence = n.sequence
   order by at, step`;

/** The last message of each person. @param indexed what an index of these conversations has as its condition */
function ownMessages(these: string, indexed: string): string {
  return `
  select l.at, 3, 'own', null, ${columnsOf('m')}
    from last l cross join unnest($7::bigint[]) as person (uid)
    cross join lateral (
      select * from ${currentSchema}.messages o
       where o.conversation = l.conversation and ${indexed} and o.sender = person.uid
         and o.sequence > l.after_own and o.sequence <= l.sequence
       order by o.sequence desc limit 1) m
   where ${these}`;
}

function columnsOf(source: string): string {
  return [...messages.columns.keys()].map((column) => `${source}."${column}"`).join(', ');
}

/**
 * Where the events are, up to a number ($4), that are no messages ($3) and changed those messages of some conversations ($1)
 * that were taken back, or that some people ($2) deleted for themselves: what a message once was taken to, it stays.
 */
export const changedMessages = `
  with changed as materialized (
    select m.mid from unnest($1::text[]) as given (conversation)
      join ${currentSchema}.messages m on m.conversation = given.conversation and m.state <> 'normal'
    union
    select m.mid from ${currentSchema}.message_deletions d
      join ${currentSchema}.messages m on m.conversation = d.conversation and m.sequence = d.sequence
     where d.uid = any($2) and d.conversation = any($1)
  )
  select e.stream, e.revision from changed
    cross join lateral (
      select stream, revision, number from audit.events
       where mid = changed.mid and number <= $4
         and type = any(array(select type from audit.types where category = 'conversation' and type <> $3))) e
   order by e.number`;

const quoted = Array.from(messages.columns.keys(), (column) => `"${column}"`);

/** The columns of messages as they were said. */
function asSaid(source: string): string {
  return quoted.map((column) => (column === '"state"' ? `'normal'` : `${source}.${column}`)).join(', ');
}

/**
 * Copies the messages of some conversations ($1) into those of another schema, up to the ends that it has, as they were
 * said: those of which something was taken back are there.
 */
export function copying(schema: string): string {
  return `
    insert into ${schema}.messages (${quoted.join(', ')})
    select ${asSaid('m')}
      from unnest($1::text[]) as given (conversation)
      join ${schema}.conversations c on c.conversation = given.conversation
      join ${currentSchema}.messages m on m.conversation = c.conversation and m.sequence <= c.sequence
        on conflict (conversation, sequence) do nothing`;
}

/**
 * The chats of some people ($1) of which a list of chats looks messages up, and how many of its last messages: all that were
 * deleted are in the schema, so that of one more than these one is seen.
 */
const chatsOf = (schema: string) => `
  chat as materialized (
    select i.uid, i.conversation, i.read_sequence, c.sequence, 1
           + (select count(*) from ${schema}.messages m where m.conversation = i.conversation and m.state = 'deleted')
           + (select count(*) from ${schema}.message_deletions d
               where d.uid = i.uid and d.conversation = i.conversation) as last
      from ${schema}.inbox i join ${schema}.conversations c using (conversation)
     where i.uid = any($1) and c.sequence > 0
       and i.conversation in (${inSchema(chatsLookedUp, schema)}))`;

/**
 * Copies the messages that `findChats` looks up of the chats of some people ($1) into those of another schema: the last one
 * that they see, the one up to which they read, and their own last one before that.
 */
export function copyingLookedUp(schema: string): string {
  const found = (condition: string, limit: string) => `
      (select * from ${currentSchema}.messages m where m.conversation = chat.conversation and ${condition}
        order by m.sequence desc limit ${limit})`;
  return `
    with ${chatsOf(schema)}
    insert into ${schema}.messages (${quoted.join(', ')})
    select ${asSaid('m')} from chat cross join lateral (
      ${found('m.sequence <= chat.sequence', 'chat.last')}
      union all ${found('m.sequence = chat.read_sequence', '1')}
      union all ${found(`m.conversation >= 'g' and m.sender = chat.uid and m.sequence <= chat.read_sequence`, '1')}) m
        on conflict (conversation, sequence) do nothing`;
}

/** How many chats of some people ($1) lack messages that are looked up, after those were copied. */
export function lackingLookedUp(schema: string): string {
  return `
    with ${chatsOf(schema)}
    select count(*) as lacking from chat
     where least(last, sequence) <> (
             select count(*) from ${schema}.messages m
              where m.conversation = chat.conversation and m.sequence > chat.sequence - chat.last
                and m.sequence <= chat.sequence)
        or read_sequence > 0 and not exists (
             select from ${schema}.messages m
              where m.conversation = chat.conversation and m.sequence = chat.read_sequence)`;
}

/** How many messages the conversations of another schema ($1) have, and how many of these are there. */
export function counting(schema: string): string {
  return `
    select (select coalesce(sum(sequence), 0) from ${schema}.conversations where conversation = any($1)) as said,
           (select count(*) from ${schema}.messages where conversation = any($1)) as there`;
}
