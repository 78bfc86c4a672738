import type { Uid } from '../../../contracts/ids.ts';
import { networkOf } from '../../edge/client-network.ts';
import type { Connection } from './connection.ts';

/** All sockets of this gateway, by user, by token and by network. */
export class Connections {
  readonly #all = new Set<Connection>();
  readonly #byUserId = new Map<string, Set<Connection>>();
  readonly #byTokenHash = new Map<string, Set<Connection>>();
  /** The number of sockets of each network, from `networkOf`. */
  readonly #countByNetwork = new Map<string, number>();

  get size(): number {
    return this.#all.size;
  }

  /** Bytes that clients have not read yet. */
  get unreadBytes(): number {
    let bytes = 0;
    for (const connection of this.#all) bytes += connection.unreadBytes;
    return bytes;
  }

  /** The number of sockets from the address, or from its IPv6 network. */
  countOfAddress(address: string): number {
    return this.#countByNetwork.get(networkOf(address)) ?? 0;
  }

  /** The number of sockets of the user. */
  countOfUser(userId: string): number {
    return this.#byUserId.get(userId)?.size ?? 0;
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    this.#countByNetwork.set(connection.network, this.countOfAddress(connection.address) + 1);
  }

  /** Records the user of a socket. */
  identify(connection: Connection, userId: string, uid: Uid | undefined): void {
    connection.userId = userId;
    connection.uid = uid;
    put(this.#byUserId, userId, connection);
  }

  /** Records that a socket depends on a token. */
  addToken(connection: Connection, tokenHash: string): void {
    if (connection.tokenHashes.includes(tokenHash)) return;
    connection.tokenHashes = [...connection.tokenHashes, tokenHash];
    put(this.#byTokenHash, tokenHash, connection);
  }

  remove(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const left = this.countOfAddress(connection.address) - 1;
    const { network } = connection;
    if (left > 0) this.#countByNetwork.set(network, left);
    else this.#countByNetwork.delete(network);
    if (connection.userId !== undefined) removeFrom(this.#byUserId, connection.userId, connection);
    for (const tokenHash of connection.tokenHashes) removeFrom(this.#byTokenHash, tokenHash, connection);
  }

  all(): IterableIterator<Connection> {
    return this.#all.values();
  }

  ofUser(userId: string): readonly Connection[] {
    return [...(this.#byUserId.get(userId) ?? [])];
  }

  ofToken(tokenHash: string): readonly Connection[] {
    return [...(this.#byTokenHash.get(tokenHash) ?? [])];
  }

  /** The hashes of the tokens on which sockets depend. */
  tokenHashes(): string[] {
    return [...this.#byTokenHash.keys()];
  }
}

function put(map: Map<string, Set<Connection>>, key: string, connection: Connection): void {
  const connections = map.get(key);
  if (connections === undefined) map.set(key, new Set([connection]));
  else connections.add(connection);
}

function removeFrom(map: Map<string, Set<Connection>>, key: string, connection: Connection): void {
  const connections = map.get(key);
  connections?.delete(connection);
  if (connections?.size === 0) map.delete(key);
}
