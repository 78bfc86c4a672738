import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { PutObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Bucket } from '../environment.ts';
import { type FileStore, FileStoreFailure, readStoredPath, type StoredPath } from './file-store.ts';
import { mediaTypeOf } from './media-type.ts';

const connectTimeoutMs = 3000;
/** How long a connection may be silent. */
const silenceMs = 20_000;

const nothing = () => undefined;

/**
 * Keeps files in a bucket of S3, with credentials from the usual places of Amazon's SDKs. They must allow to get, put
 * and list objects: without the right to list, S3 answers that a missing file is forbidden.
 * @throws Error for the operator if the store refuses; a store that cannot be reached only causes a warning
 */
export async function openBucket({ name, ...place }: Bucket, logger: Logger): Promise<FileStore> {
  const s3 = await import('@aws-sdk/client-s3');
  const { endpoint, region, pathStyle } = place;
  const client = new s3.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: pathStyle,
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: silenceMs },
    // Errors are thrown; the SDK would also write them to the console.
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    // Stores other than Amazon's refuse the checksums that the SDK sends by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

  /** Reads a file that was never added: only a bucket that can be used answers that it is missing. */
  const probe = () =>
    client.send(new s3.GetObjectCommand({ Bucket: name, Key: 'nothing' })).catch((error: unknown) => {
      if (!(error instanceof s3.NoSuchKey)) throw error;
    });

  /** One request, of up to 5 GB, stores the whole file or nothing. */
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
        // The SDK does not retry streams, and a kept connection may have been closed meanwhile.
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
    async *list() {
      for (let token: string | undefined, more = true; more; ) {
        const from = token === undefined ? {} : { ContinuationToken: token };
        const page = await client
          .send(new s3.ListObjectsV2Command({ Bucket: name, ...from }))
          .catch((cause: unknown) => {
            throw new FileStoreFailure('the files could not be listed', { cause });
          });
        for (const { Key = '' } of page.Contents ?? []) {
          const path = readStoredPath(Key);
          if (path !== undefined) yield path;
        }
        token = page.NextContinuationToken;
        more = token !== undefined;
      }
    },
    healthy: () =>
      probe().then(
        () => true,
        () => false,
      ),
    close: async () => client.destroy(),
  };
  await probe().catch((cause: unknown) => {
    if (isAnswered(cause) || !isNetworkError(cause)) {
      client.destroy();
      throw new Error(`the bucket ${name} of S3_BUCKET cannot be used`, { cause });
    }
    logger.warn({ err: cause }, 'the bucket cannot be reached: files wait for it');
  });
  return store;
}

const Answered = z.object({ $metadata: z.object({ httpStatusCode: z.int() }) });

/** The store's HTTP status; undefined if it did not answer. */
function statusOf(error: unknown): number | undefined {
  return Answered.safeParse(error).data?.$metadata.httpStatusCode;
}

/** Whether the store refused for good: it answered, and was not just busy. */
function isAnswered(error: unknown): boolean {
  const status = statusOf(error);
  return status !== undefined && status < 500;
}

/** Whether the network or the store failed. */
function isNetworkError(error: unknown): boolean {
  if (statusOf(error) !== undefined) return true;
  return error instanceof Error && ('code' in error || error.name === 'TimeoutError');
}
