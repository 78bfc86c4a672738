import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openBucket } from '../../services/files/bucket.ts';
import { newStoredPath } from '../../services/files/file-store.ts';
import { silent } from '../support/accounts.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startS3 } from '../support/s3.ts';
import { describeFileStore, newPath } from './contract.ts';

describeFileStore('a bucket of s3rver', async (atEnd) =>
  openBucket((await startS3(atEnd, { lists: true })).bucket, silent),
);

describe('a bucket', () => {
  /** A server, and a file to be added. */
  async function prepare() {
    const server = await startS3(onTestFinished);
    const folder = await temporaryFolder();
    const file = join(folder, 'a file');
    await writeFile(file, randomBytes(10));
    const open = async () => {
      const store = await openBucket(server.bucket, silent);
      onTestFinished(() => store.close());
      return store;
    };
    return { server, folder, file, open };
  }

  const failure = expect.objectContaining({ name: 'FileStoreFailure' });

  test('knows of each file what it is given out as', async () => {
    const { server, file, open } = await prepare();
    const path = newStoredPath({ kind: 'images', time: Date.now() }, 'png');
    await (await open()).add(path, file);
    const { name, endpoint = '' } = server.bucket;
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
    const { ContentType, ContentLength } = await client.send(
      new HeadObjectCommand({ Bucket: name, Key: path }),
    );
    expect([ContentType, ContentLength]).toEqual(['image/png', 10]);
  });

  test('that goes away fails requests and keeps the local file, and serves again when it is back', async () => {
    const { server, folder, file, open } = await prepare();
    const store = await open();
    const path = newPath();
    await server.stop();
    await expect(store.add(path, file)).rejects.toEqual(failure);
    await expect(store.find(path)).rejects.toEqual(failure);
    expect(await store.healthy()).toBe(false);
    expect(await readdir(folder)).toEqual(['a file']);
    await server.start();
    await store.add(path, file);
    const found = await store.find(path);
    expect(found?.bytes).toBe(10);
    await server.stop();
    await expect(found?.read()).rejects.toEqual(failure);
  });

  test('stores a file although its idle connection had ended', async () => {
    const { server, file, open } = await prepare();
    const store = await open();
    await server.stop();
    await server.start();
    await store.add(newPath(), file);
  });

  test('that is away at the start is waited for', async () => {
    const { server, file, open } = await prepare();
    await server.stop();
    const store = await open();
    await server.start();
    await store.add(newPath(), file);
  });

  test('that does not exist is refused at the start', async () => {
    const { server } = await prepare();
    const opening = openBucket({ ...server.bucket, name: 'elsewhere' }, silent);
    await expect(opening).rejects.toThrow('the bucket elsewhere of S3_BUCKET cannot be used');
  });

  test('that does not take the key is refused at the start', async () => {
    const { open } = await prepare();
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another');
    await expect(open()).rejects.toThrow('the bucket uploads of S3_BUCKET cannot be used');
  });
});
