import { type RawBuilder, sql } from 'kysely';
import type { Uid } from '../../contracts/ids.ts';
import { networkOf } from '../edge/client-network.ts';
import type { AccountsDatabase } from './accounts-tables.ts';

/** Addresses that are remembered of each person: more devices and places than most people use in months. */
const maxKnown = 20;

/** After this many days without a login an address may be somebody else's. */
export const knownDays = 90;

export interface KnownAddresses {
  /** Whether the person has logged in from an address. */
  knows(uid: Uid, address: string): Promise<boolean>;
  /** Remembers an address from which the person has just shown that the account is theirs. */
  remember(uid: Uid, address: string): Promise<void>;
  /** Forgets all addresses of a person. */
  forget(uid: Uid): Promise<void>;
}

/** The addresses that people log in from: there the wrong passwords of strangers do not lock them out. */
export function createKnownAddresses(database: AccountsDatabase): KnownAddresses {
  return {
    async knows(uid, address) {
      const { rows } = await sql`
        select from accounts.known_addresses
        where uid = ${uid} and address = ${networkOf(address)} and seen > ${since}`.execute(database);
      return rows.length > 0;
    },
    async remember(uid, address) {
      // Updated once a day, so that most logins write nothing.
      const { numAffectedRows } = await sql`
        insert into accounts.known_addresses as known (uid, address) values (${uid}, ${networkOf(address)})
        on conflict (uid, address) do update set seen = now() where known.seen < now() - interval '1 day'`.execute(
        database,
      );
      if (!numAffectedRows) return;
      await sql`
        delete from accounts.known_addresses where uid = ${uid} and address in (
          select address from accounts.known_addresses where uid = ${uid}
          order by seen desc, address offset ${maxKnown}
        )`.execute(database);
    },
    async forget(uid) {
      await sql`delete from accounts.known_addresses where uid = ${uid}`.execute(database);
    },
  };
}

const since: RawBuilder<Date> = sql`now() - make_interval(days => ${sql.lit(knownDays)})`;
