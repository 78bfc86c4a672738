import { pushCodes } from '../../../contracts/push/protocol.ts';
import type { ReadingDatabase } from '../../postgres/database.ts';
import type { Connection } from '../connections/connection.ts';
import type { Connections } from '../connections/connections.ts';
import type { Limits } from '../connections/limits.ts';
import { liveTokens } from '../connections/sessions.ts';
import type { OnlineUsers } from '../presence/online-users.ts';
import { uidOf } from '../subscriptions/channel.ts';

const endedMessage = 'the token has ended';

/** The users and tokens of sockets; closes the sockets whose tokens end. */
export class Identities {
  readonly #database: ReadingDatabase;
  readonly #connections: Connections;
  readonly #onlineUsers: OnlineUsers;
  readonly #limits: Limits;

  constructor(options: {
    database: ReadingDatabase;
    connections: Connections;
    onlineUsers: OnlineUsers;
    limits: Limits;
  }) {
    this.#database = options.database;
    this.#connections = options.connections;
    this.#onlineUsers = options.onlineUsers;
    this.#limits = options.limits;
  }

  /**
   * Records the user of a socket, if it was anonymous.
   * @returns false, and the socket is closed, if the user has too many sockets, or if the socket became another user's
   * meanwhile: a socket depends on the tokens of one user only
   */
  identify(connection: Connection, userId: string): boolean {
    if (!connection.open || connection.userId === userId) return connection.open;
    if (connection.userId !== undefined) {
      connection.close(pushCodes.tokenEnded, "the connection is another user's");
      return false;
    }
    if (this.#connections.countOfUser(userId) >= this.#limits.maxSocketsPerUser) {
      connection.close(pushCodes.tooManyConnections, 'too many connections of this user');
      return false;
    }
    const uid = uidOf(userId);
    this.#connections.identify(connection, userId, uid);
    if (uid !== undefined) this.#onlineUsers.opened(uid);
    return true;
  }

  /**
   * Records that a socket depends on a token: it is closed when the token ends.
   * @returns false, and the socket is closed, if the token has ended already
   * @throws what the database throws
   */
  async addToken(connection: Connection, tokenHash: string): Promise<boolean> {
    if (connection.tokenHashes.includes(tokenHash)) return true;
    // Recorded before it is read, so that the signal of an end that comes in between finds the socket.
    this.#connections.addToken(connection, tokenHash);
    if ((await liveTokens(this.#database, [tokenHash])).has(tokenHash)) return connection.open;
    connection.close(pushCodes.tokenEnded, endedMessage);
    return false;
  }

  /** As `addToken`, for the token with which the socket was opened, and which has just been verified. */
  addVerifiedToken(connection: Connection, tokenHash: string): void {
    this.#connections.addToken(connection, tokenHash);
  }

  /** Removes a socket that has closed. */
  forget(connection: Connection): void {
    this.#connections.remove(connection);
    if (connection.uid !== undefined) this.#onlineUsers.closed(connection.uid);
  }

  /** Closes the sockets that depend on a token. */
  endToken(tokenHash: string): void {
    for (const connection of this.#connections.ofToken(tokenHash)) {
      connection.close(pushCodes.tokenEnded, endedMessage);
    }
  }

  /** Closes a user's sockets: all their tokens have ended, or another backend ends their connections. */
  endUser(userId: string): void {
    for (const connection of this.#connections.ofUser(userId)) {
      connection.close(pushCodes.tokenEnded, endedMessage);
    }
  }

  /** Closes the sockets of ended tokens whose signal was lost. @throws what the database throws. */
  async recheck(): Promise<void> {
    const tokenHashes = this.#connections.tokenHashes();
    const live = await liveTokens(this.#database, tokenHashes);
    for (const tokenHash of tokenHashes) if (!live.has(tokenHash)) this.endToken(tokenHash);
  }
}
