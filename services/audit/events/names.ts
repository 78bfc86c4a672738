import { LRUCache } from 'lru-cache';
import type { Gid, Uid } from '../../../contracts/ids.ts';
import { groupStream } from '../../domain/group.ts';
import { userStream } from '../../domain/user.ts';
import { tryDecode } from '../../log/codec.ts';
import type { EventLog, StreamName } from '../../log/log.ts';

/** How many names are kept in memory. */
const maxNames = 10_000;

/** What people and groups are called now, by the log. What is known already is given at once. */
export class CurrentNames {
  readonly #log: EventLog;
  readonly #names = new LRUCache<StreamName, { readonly name: string | null | Promise<string | null> }>({
    max: maxNames,
  });

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** A person's nickname; null if there is no such person. @throws LogFailure */
  ofPerson(uid: Uid): string | null | Promise<string | null> {
    return this.#of(userStream(uid).name);
  }

  /** A group's name; null if there is no such group, or it has none. @throws LogFailure */
  ofGroup(gid: Gid): string | null | Promise<string | null> {
    return this.#of(groupStream(gid).name);
  }

  #of(stream: StreamName): string | null | Promise<string | null> {
    const known = this.#names.get(stream);
    if (known) return known.name;
    const read = this.#read(stream).then((name) => {
      this.#names.set(stream, { name });
      return name;
    });
    this.#names.set(stream, { name: read });
    return read;
  }

  async #read(stream: StreamName): Promise<string | null> {
    let name: string | null = null;
    for await (const record of this.#log.readStream(stream)) {
      const event = tryDecode(record);
      if (!('type' in event)) continue;
      if (event.type === 'UserRegistered' || event.type === 'ProfileChanged') {
        name = event.data.nickname ?? name;
      } else if (event.type === 'GroupCreated' || event.type === 'GroupUpdated') {
        name = event.data.name ?? name;
      }
    }
    return name;
  }
}
