import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Name, type Person, people } from './people.ts';
import { drawAvatar } from './pictures.ts';
import type { Server } from './server.ts';

/** The uids of the people. */
export type Uids = Readonly<Record<Name, number>>;

/** Whether nobody is registered yet. @throws as `Server.get` */
export async function isEmpty(server: Server): Promise<boolean> {
  const { users } = await server.get('/user/list', { limit: '1' }, z.object({ users: z.array(z.unknown()) }));
  return users.length === 0;
}

/** A password that nobody can guess: the installation may be reached by others. */
export function newPassword(): string {
  return `demo-${randomBytes(6).toString('base64url')}`;
}

/**
 * Registers everybody, with pictures.
 * @throws Error if a call is refused
 */
export async function register(server: Server, password: string): Promise<Uids> {
  const registered = new Map<string, number>();
  for (const [name, person] of Object.entries<Person>(people)) {
    const { username, nickname, sign, colours, phone, isMember } = person;
    const { uid } = await server.call(
      '/user/add',
      { username, nickname, sign, password },
      z.object({ uid: z.int() }),
    );
    registered.set(name, uid);
    const { src: avatar } = await server.upload(
      '/upload/avatar',
      uid,
      await drawAvatar(colours),
      'avatar.png',
    );
    await server.act('/user/update', { login_uid: uid, avatar, phone, is_member: isMember && 1 });
  }
  const uidOf = (name: Name) => registered.get(name) ?? 0;
  return {
    ...{ tom: uidOf('tom'), jerry: uidOf('jerry'), lin: uidOf('lin'), chen: uidOf('chen') },
    ...{ zhao: uidOf('zhao'), wang: uidOf('wang'), anna: uidOf('anna'), sun: uidOf('sun') },
  };
}
