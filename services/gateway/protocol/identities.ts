import { pushCodes } from '../../../contracts/push/protocol.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { Connection } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import type { Limits } from '../connections/limits.ts';
import { standingSessions } from '../connections/sessions.ts';
import type { People } from '../presence/people.ts';
import { uidOf } from '../subscriptions/channel-name.ts';

const endedMessage = 'the token has ended';

/** Whose sockets there are, under which tokens, and closing them when those end. */
export class Identities {
  readonly #database: ReadingDatabase;
  readonly #connections: Connections;
  readonly #people: People;
  readonly #limits: Limits;

  constructor(options: {
    database: ReadingDatabase;
    connections: Connections;
    people: People;
    limits: Limits;
  }) {
    this.#database = options.database;
    this.#connections = options.connections;
    this.#people = options.people;
    this.#limits = options.limits;
  }

  /**
   * Notes whose the socket is, if that was not known. False, and the socket is closed, if the user has too
   * many, or if it turned out to be another user's while this one was judged: a socket ends with the tokens
   * of one person only.
   */
  know(connection: Connection, userId: string): boolean {
    if (!connection.open || connection.userId === userId) return connection.open;
    if (connection.userId !== undefined) {
      connection.close(pushCodes.tokenEnded, "the connection is another user's");
      return false;
    }
    if (this.#connections.countOfUser(userId) >= this.#limits.socketsOfUser) {
      connection.close(pushCodes.tooManyConnections, 'too many connections of this user');
      return false;
    }
    const uid = uidOf(userId);
    this.#connections.identify(connection, userId, uid);
    if (uid !== undefined) this.#people.opened(uid);
    return true;
  }

  /**
   * Notes under which token the socket hears, so that it ends with it. False, and the socket is
   * closed, where it has ended already. @throws what the database throws.
   */
  async under(connection: Connection, session: string): Promise<boolean> {
    if (connection.sessions.includes(session)) return true;
    // Noted before it is looked up, or an end told in between would miss it.
    this.#connections.under(connection, session);
    if ((await standingSessions(this.#database, [session])).has(session)) return connection.open;
    connection.close(pushCodes.tokenEnded, endedMessage);
    return false;
  }

  /** Notes the token that a socket was opened with, which has just been verified. */
  openedWith(connection: Connection, session: string): void {
    this.#connections.under(connection, session);
  }

  /** A socket has closed. */
  forget(connection: Connection): void {
    this.#connections.remove(connection);
    if (connection.uid !== undefined) this.#people.closed(connection.uid);
  }

  /** A token has ended: so do its sockets. */
  endSession(session: string): void {
    for (const connection of this.#connections.ofSession(session)) {
      connection.close(pushCodes.tokenEnded, endedMessage);
    }
  }

  /** All of a user's tokens have ended, or somebody ends their connections. */
  endUser(userId: string): void {
    for (const connection of this.#connections.ofUser(userId)) {
      connection.close(pushCodes.tokenEnded, endedMessage);
    }
  }

  /** Looks for tokens whose end was not heard. @throws what the database throws. */
  async recheck(): Promise<void> {
    const sessions = this.#connections.sessions();
    const standing = await standingSessions(this.#database, sessions);
    for (const session of sessions) if (!standing.has(session)) this.endSession(session);
  }
}
