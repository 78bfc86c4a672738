import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Bucket } from '../environment.ts';
import { type FileStore, FileStoreFailure, type StoredPath } from './file-store.ts';
import { mediaTypeOf } from './media-type.ts';

const connectMilliseconds = 3000;
/** For so long nothing may move on a connection. */
const silentMilliseconds = 20_000;

const nothing = () => undefined;

/**
 * Keeps files in a bucket of S3, with credentials from where Amazon's SDKs look for them. They must allow
 * to get, put and list objects: who may not list is told that a file is forbidden, not that it is missing.
 * @throws Error, in words for who starts the program, where the store says no; one that cannot be reached
 * may come later
 */
export async function openBucket({ name, ...place }: Bucket, logger: Logger): Promise<FileStore> {
  const s3 = await import('@aws-sdk/client-s3');
  const { endpoint, region, pathStyle } = place;
  const client = new s3.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    requestHandler: { connectionTimeout: connectMilliseconds, socketTimeout: silentMilliseconds },
    // What goes wrong is thrown; the SDK would tell it on the console as well.
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    // Other stores than Amazon's refuse the checksums that the SDK sends by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

  /** Asks for what was never added: that it is missing is what only a bucket says that one may use. */
  const look = () =>
    client.send(new s3.GetObjectCommand({ Bucket: name, Key: 'nothing' })).catch((error: unknown) => {
      if (!(error instanceof s3.NoSuchKey)) throw error;
    });

  /** In one request, which takes 5 GB, so that the file is there as a whole or not at all. */
  const put = async (path: StoredPath, file: string): Promise<PutObjectCommandOutput> => {
    const { size } = await stat(file);
    const Body = createReadStream(file);
    try {
      const object = { Bucket: name, Key: path, Body, ContentLength: size, ContentType: mediaTypeOf(path) };
      return await client.send(new s3.PutObjectCommand(object));
    } finally {
      Body.destroy();
    }
  };

  const store: FileStore = {
    async add(path, localFile) {
      try {
        // The SDK does not repeat what it streams; a connection that was kept open may have ended meanwhile.
        await put(path, localFile).catch((error: unknown) => {
          if (isAnswered(error)) throw error;
          return put(path, localFile);
        });
      } catch (cause) {
        throw new FileStoreFailure('a file could not be stored', { cause });
      }
      await rm(localFile, { force: true });
    },
    async find(path) {
      const key = { Bucket: name, Key: path };
      try {
        const { ContentLength: bytes = 0 } = await client.send(new s3.HeadObjectCommand(key));
        return {
          bytes,
          async read(range) {
            const Range = range && `bytes=${range.start}-${range.end}`;
            const { Body } = await client
              .send(new s3.GetObjectCommand({ ...key, ...(Range === undefined ? {} : { Range }) }))
              .catch((cause: unknown) => {
                throw new FileStoreFailure('a file could not be read', { cause });
              });
            if (!(Body instanceof Readable)) throw new FileStoreFailure('an object without a stream');
            return Body;
          },
        };
      } catch (cause) {
        if (statusOf(cause) === 404) return undefined;
        throw new FileStoreFailure('a file could not be looked for', { cause });
      }
    },
    healthy: () =>
      look().then(
        () => true,
        () => false,
      ),
    close: async () => client.destroy(),
  };
  await look().catch((cause: unknown) => {
    if (isAnswered(cause) || !isNetworkError(cause)) {
      client.destroy();
      throw new Error(`the bucket ${name} of S3_BUCKET cannot be used`, { cause });
    }
    logger.warn({ err: cause }, 'the bucket cannot be reached: files wait for it');
  });
  return store;
}

const Answered = z.object({ $metadata: z.object({ httpStatusCode: z.int() }) });

/** The status with which the store answered; undefined where it did not. */
function statusOf(error: unknown): number | undefined {
  return Answered.safeParse(error).data?.$metadata.httpStatusCode;
}

/** Whether the store said no, for good: not that it is busy, nor nothing at all. */
function isAnswered(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && status < 500;
}

/** Whether the way to the store, or the store itself, is at fault. */
function isNetworkError(error: unknown): boolean {
  if (statusOf(error) !== undefined) return true;
  return error instanceof Error && ('code' in error || error.name === 'TimeoutError');
}
