import type { Uid } from '../../../contracts/ids.ts';
import { networkOf } from '../../edge/client-network.ts';
import type { Connection } from './connection.ts';

/** All sockets of this gateway, and where to find them. */
export class Connections {
  readonly #all = new Set<Connection>();
  readonly #byUserId = new Map<string, Set<Connection>>();
  readonly #bySession = new Map<string, Set<Connection>>();
  /** By the network of the address, as `networkOf` has it. */
  readonly #byNetwork = new Map<string, number>();

  get size(): number {
    return this.#all.size;
  }

  /** How many come from the address, or its IPv6 network. */
  countOfAddress(address: string): number {
    return this.#byNetwork.get(networkOf(address)) ?? 0;
  }

  /** How many are the user's. */
  countOfUser(userId: string): number {
    return this.#byUserId.get(userId)?.size ?? 0;
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    this.#byNetwork.set(connection.network, this.countOfAddress(connection.address) + 1);
  }

  /** Notes whose a socket is. */
  identify(connection: Connection, userId: string, uid: Uid | undefined): void {
    connection.userId = userId;
    connection.uid = uid;
    put(this.#byUserId, userId, connection);
  }

  /** Notes under which token a socket hears. */
  under(connection: Connection, session: string): void {
    if (connection.sessions.includes(session)) return;
    connection.sessions = [...connection.sessions, session];
    put(this.#bySession, session, connection);
  }

  remove(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const left = this.countOfAddress(connection.address) - 1;
    const { network } = connection;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
    if (connection.userId !== undefined) take(this.#byUserId, connection.userId, connection);
    for (const session of connection.sessions) take(this.#bySession, session, connection);
  }

  all(): IterableIterator<Connection> {
    return this.#all.values();
  }

  ofUser(userId: string): readonly Connection[] {
    return [...(this.#byUserId.get(userId) ?? [])];
  }

  ofSession(session: string): readonly Connection[] {
    return [...(this.#bySession.get(session) ?? [])];
  }

  /** The tokens under which some socket hears. */
  sessions(): string[] {
    return [...this.#bySession.keys()];
  }
}

function put(map: Map<string, Set<Connection>>, key: string, connection: Connection): void {
  const connections = map.get(key);
  if (connections === undefined) map.set(key, new Set([connection]));
  else connections.add(connection);
}

function take(map: Map<string, Set<Connection>>, key: string, connection: Connection): void {
  const connections = map.get(key);
  connections?.delete(connection);
  if (connections?.size === 0) map.delete(key);
}
