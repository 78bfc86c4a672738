import { LRUCache } from 'lru-cache';
import type { Gid, Uid } from '../../../contracts/ids.ts';
import { groupStream } from '../../domain/group.ts';
import { userStream } from '../../domain/user.ts';
import { tryDecode } from '../../log/codec.ts';
import type { EventLog, StreamName } from '../../log/log.ts';

/** How many names of each kind are kept in memory. */
const maxNames = 10_000;

/** The name of one, once it was read. */
type Name = string | null | Promise<string | null>;

/** What people and groups are called now, by the log. What is known already is given at once. */
export class CurrentNames {
  readonly #log: EventLog;
  /** By their ids: to make the name of a stream takes longer than to find a person. */
  readonly #people = new LRUCache<Uid, { readonly name: Name }>({ max: maxNames });
  readonly #groups = new LRUCache<Gid, { readonly name: Name }>({ max: maxNames });

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** A person's nickname; null if there is no such person. @throws LogFailure */
  ofPerson(uid: Uid): Name {
    const known = this.#people.get(uid);
    return known ? known.name : this.#keep(this.#people, uid, userStream(uid).name);
  }

  /** A group's name; null if there is no such group, or it has none. @throws LogFailure */
  ofGroup(gid: Gid): Name {
    const known = this.#groups.get(gid);
    return known ? known.name : this.#keep(this.#groups, gid, groupStream(gid).name);
  }

  #keep<Id extends Uid | Gid>(
    names: LRUCache<Id, { readonly name: Name }>,
    id: Id,
    stream: StreamName,
  ): Promise<string | null> {
    const read = this.#read(stream).then((name) => {
      names.set(id, { name });
      return name;
    });
    names.set(id, { name: read });
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
