import { join } from 'node:path';
import { createFaces, drawDefaultAvatar } from './faces.ts';
import type { FileStore } from './file-store.ts';
import { GroupPictures } from './group-pictures.ts';
import { type Incoming, openIncoming } from './incoming.ts';
import { Pictures } from './pictures.ts';
import { openPrivateFolder } from './private.ts';

/** Uploads and the pictures made of them. */
export interface Files {
  readonly store: FileStore;
  readonly incoming: Incoming;
  readonly pictures: Pictures;
  readonly groupPictures: GroupPictures;
  /** The picture of people without one: a JPEG. */
  defaultAvatar(): Promise<Buffer>;
  /** Resolves once nothing is being made any more. */
  close(): Promise<void>;
}

/**
 * Makes pictures from a store's files. A folder keeps them, and uploads that are not complete yet.
 * @throws what the disk throws
 */
export async function openFiles(folder: string, store: FileStore): Promise<Files> {
  await openPrivateFolder(folder);
  const made = join(folder, 'made');
  await openPrivateFolder(made);
  const groupPictures = await new GroupPictures(join(made, 'groups'), store, createFaces()).open();
  const pictures = new Pictures();
  let avatar: Promise<Buffer> | undefined;
  return {
    store,
    incoming: await openIncoming(join(folder, 'incoming')),
    pictures,
    groupPictures,
    defaultAvatar() {
      avatar ??= drawDefaultAvatar().catch((error: unknown) => {
        // The next who asks has it drawn again.
        avatar = undefined;
        throw error;
      });
      return avatar;
    },
    async close() {
      pictures.close();
      await groupPictures.close();
    },
  };
}
