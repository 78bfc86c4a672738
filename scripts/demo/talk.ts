import { z } from 'zod';
import type { Uids } from './cast.ts';
import { type Name, people } from './people.ts';
import { drawPhoto } from './pictures.ts';
import type { Server } from './server.ts';

/** A chat: of two friends, or of a group. */
type Chat =
  | { readonly type: 'friend'; readonly with: Name }
  | { readonly type: 'group'; readonly gid: number };

const Sent = z.object({ mid: z.int() });

/** Makes friends, groups and talk among people, as calls of the API. */
export class Talk {
  readonly #server: Server;
  readonly #uids: Uids;

  constructor(server: Server, uids: Uids) {
    this.#server = server;
    this.#uids = uids;
  }

  async befriend(one: Name, others: readonly Name[]): Promise<void> {
    for (const other of others) await this.#act(one, '/friend/add', { friend_uid: this.#uids[other] });
  }

  /** Asks to become a friend; the other one has not answered yet. */
  apply(one: Name, to: Name, postscript: string): Promise<void> {
    return this.#act(one, '/friend/apply', { friend_uid: this.#uids[to], postscript });
  }

  async group(
    owner: Name,
    gid: number,
    groupname: string,
    members: readonly Name[],
  ): Promise<Chat & { type: 'group' }> {
    await this.#act(owner, '/group/create', {
      ...{ gid, groupname },
      members: members.map((name) => this.#uids[name]),
    });
    return { type: 'group', gid };
  }

  /** Sends a message. @returns its mid */
  async say(name: Name, chat: Chat, content: string, quoted?: number): Promise<number> {
    const { mid } = await this.#server.call(
      '/message/send',
      {
        ...{ login_uid: this.#uids[name], type: chat.type, content },
        to: chat.type === 'group' ? chat.gid : this.#uids[chat.with],
        ...(quoted !== undefined && { quote_mid: quoted }),
      },
      Sent,
    );
    return mid;
  }

  /** Sends a picture. @returns its mid */
  async show(name: Name, chat: Chat): Promise<number> {
    const { src } = await this.#server.upload(
      '/upload/img',
      this.#uids[name],
      await drawPhoto(),
      'mountains.png',
    );
    return this.say(name, chat, `![](${src})`);
  }

  /** Sends a text file. @returns its mid */
  async attach(name: Name, chat: Chat, file: string, text: string): Promise<number> {
    const bytes = new TextEncoder().encode(text);
    const { src, size } = await this.#server.upload('/upload/file', this.#uids[name], bytes, file);
    return this.say(name, chat, `file[${file}\t${size}](${src})`);
  }

  /** Answers a question before anybody asks it. */
  answerBeforehand(member: Name, title: string, content: string): Promise<void> {
    return this.#act(member, '/reply/add', { type: 3, title, content });
  }

  /** Announces something to everyone. */
  announce(content: string): Promise<void> {
    return this.#server.act('/announcement/send', { content });
  }

  revoke(name: Name, chat: Chat, mid: number): Promise<void> {
    return this.#act(name, '/message/revoke', { ...this.#named(chat), mid });
  }

  read(name: Name, chat: Chat): Promise<void> {
    return this.#act(name, '/message/updateLastReadTime', this.#named(chat));
  }

  /** Makes a member a manager. */
  promote(owner: Name, { gid }: Chat & { type: 'group' }, member: Name): Promise<void> {
    return this.#act(owner, '/group/manager', { gid, uid: this.#uids[member], value: 1 });
  }

  mute(manager: Name, { gid }: Chat & { type: 'group' }, member: Name, seconds: number): Promise<void> {
    return this.#act(manager, '/group/forbiddenuser', { gid, uid: this.#uids[member], time: seconds });
  }

  /** How a text names somebody so that they are notified. */
  mention(name: Name): string {
    return `@[${people[name].nickname}](${this.#uids[name]})`;
  }

  #named(chat: Chat): object {
    return { type: chat.type, id: chat.type === 'group' ? chat.gid : this.#uids[chat.with] };
  }

  #act(name: Name, path: string, parameters: object): Promise<void> {
    return this.#server.act(path, { login_uid: this.#uids[name], ...parameters });
  }
}
