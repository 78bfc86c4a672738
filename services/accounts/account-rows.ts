import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import { NumberId, Uid } from '../../contracts/ids.ts';
import type { AccountsDatabase, AccountsTables } from './accounts-tables.ts';

/** A registered person's names and password. */
export interface Account {
  readonly uid: Uid;
  readonly username: string;
  readonly phone: string | null;
  readonly numberId: NumberId;
  readonly passwordHash: string;
}

/** Whether the log has the registration of this uid with this username and number id. */
export type IsRegistered = (account: Pick<Account, 'uid' | 'username' | 'numberId'>) => Promise<boolean>;

/** A row of `accounts.accounts`: an account, or a reservation of its names. */
export interface AccountRow {
  readonly uid: string | number;
  readonly username: string;
  readonly username_key: string;
  readonly phone: string | null;
  readonly number_id: string | number;
  readonly password_hash: string;
  readonly registered: boolean;
  /** Of a deleted person: the row holds the uid and the number id alone. */
  readonly deleted: boolean;
  /** Made or renewed more than a minute ago. */
  readonly old: boolean;
}

type Condition = (
  row: ExpressionBuilder<AccountsTables, 'accounts.accounts'>,
) => ExpressionWrapper<AccountsTables, 'accounts.accounts', SqlBool>;

/** The form of a username that is unique. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}

/** Reads rows of accounts, and decides whether each is an account or still a reservation. */
export class AccountRows {
  readonly #database: AccountsDatabase;
  readonly #isRegistered: IsRegistered;

  /**
   * @param isRegistered is called for rows that are not marked as registered. That a stream `user-{uid}` exists is
   *   not enough: the uid may have been assigned twice.
   */
  constructor(database: AccountsDatabase, isRegistered: IsRegistered) {
    this.#database = database;
    this.#isRegistered = isRegistered;
  }

  find(condition: Condition): Promise<AccountRow[]> {
    return this.#database
      .selectFrom('accounts.accounts')
      .select([
        'uid',
        'username',
        'username_key',
        'phone',
        'number_id',
        'password_hash',
        'registered',
        'deleted',
      ])
      .select(sql<boolean>`created < now() - interval '1 minute'`.as('old'))
      .where(condition)
      .execute();
  }

  /** The accounts among the rows; reservations and deleted accounts are left out. */
  async accounts(condition: Condition): Promise<Account[]> {
    const rows = await this.find(condition);
    const found = await Promise.all(rows.map((row) => this.#account(row)));
    return found.filter((account) => account !== undefined);
  }

  /**
   * Whether the row is an account. Marks it as registered if the log has the registration: its process ended before
   * it could.
   */
  async isAccount(row: AccountRow): Promise<boolean> {
    if (row.registered) return true;
    const uid = Uid.parse(Number(row.uid));
    const numberId = NumberId.parse(Number(row.number_id));
    if (!(await this.#isRegistered({ uid, username: row.username, numberId }))) return false;
    await this.markRegistered(uid);
    return true;
  }

  /** @returns false if there is no such row */
  async markRegistered(uid: Uid): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable('accounts.accounts')
      .set({ registered: true })
      .where('uid', '=', uid)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async #account(row: AccountRow): Promise<Account | undefined> {
    if (row.deleted || !(await this.isAccount(row))) return undefined;
    return {
      uid: Uid.parse(Number(row.uid)),
      username: row.username,
      phone: row.phone,
      numberId: NumberId.parse(Number(row.number_id)),
      passwordHash: row.password_hash,
    };
  }
}
