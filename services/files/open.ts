import type { Logger } from 'pino';
import type { Environment } from '../environment.ts';
import { openBucket } from './bucket.ts';
import type { FileStore } from './file-store.ts';
import { localFolder } from './local-folder.ts';

/**
 * Opens the store of uploads that the environment names: a bucket of S3, else a folder.
 * @throws what `openBucket` throws
 */
export async function openFileStore(
  { bucket }: Pick<Environment, 'bucket'>,
  folder: string,
  logger: Logger,
): Promise<FileStore> {
  return bucket === undefined ? localFolder(folder) : openBucket(bucket, logger);
}
