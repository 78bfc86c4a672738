import S3rver from '@20minutes/s3rver';
import { vi } from 'vitest';
import type { Bucket } from '../../services/environment.ts';
import type { AtEnd } from './at-end.ts';
import { temporaryFolder } from './folder.ts';

/** The pair that s3rver knows. */
const keys = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

/** An S3 server on a port of its own, which can go away and come back. */
export interface S3Server {
  readonly bucket: Bucket;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts s3rver with an empty bucket; it is gone with what `atEnd` takes. The test's process gets its keys.
 * @param lists whether files are listed: s3rver signs the path of that call without the slash that the SDK sends, so
 *   it must not compare signatures then
 */
export async function startS3(atEnd: AtEnd, { lists = false } = {}): Promise<S3Server> {
  for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value);
  const directory = await temporaryFolder(atEnd);
  let server: S3rver | undefined;
  let port = 0;
  const start = async () => {
    const options = { directory, address: '127.0.0.1', port, silent: true, allowMismatchedSignatures: lists };
    server = new S3rver({ ...options, configureBuckets: [{ name: 'uploads' }] });
    ({ port } = await server.run());
  };
  const stop = async () => {
    await server?.close();
    server = undefined;
  };
  await start();
  atEnd(stop);
  const endpoint = `http://127.0.0.1:${port}`;
  return { bucket: { name: 'uploads', endpoint, region: 'us-east-1', pathStyle: true }, start, stop };
}
