import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { describe, expect, test, vi } from 'vitest';
import { type Bucket, readEnvironment } from '../../services/environment.ts';
import { openBucket } from '../../services/files/bucket.ts';
import { silent } from '../support/accounts.ts';
import type { AtEnd } from '../support/at-end.ts';
import { describeFileStore } from './contract.ts';

const image = 'chrislusf/seaweedfs:4.00';
const { bucket } = readEnvironment();
const dockerAnswers =
  bucket === undefined &&
  (await getContainerRuntimeClient().then(
    () => true,
    () => false,
  ));

async function startContainer(atEnd: AtEnd): Promise<Bucket> {
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test-secret' };
  for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value);
  const container = await new GenericContainer(image)
    .withEnvironment(keys)
    .withCommand(['server', '-s3', '-dir=/data', '-ip.bind=0.0.0.0'])
    .withExposedPorts({ container: 8333, host: 0 })
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  atEnd(async () => void (await container.stop()));
  const endpoint = `http://${container.getHost()}:${container.getMappedPort(8333)}`;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
  const create = new CreateBucketCommand({ Bucket: 'uploads' });
  // It listens before its parts have found each other.
  await expect
    .poll(() => client.send(create).then(() => 'made', String), { timeout: 60_000, interval: 500 })
    .toMatch(/made|BucketAlready/);
  return { name: 'uploads', endpoint, region: 'us-east-1', pathStyle: true };
}

if (bucket !== undefined) {
  describeFileStore('the bucket of S3_BUCKET', () => openBucket(bucket, silent));
} else if (dockerAnswers) {
  describeFileStore('a bucket of SeaweedFS in a container', async (atEnd) =>
    openBucket(await startContainer(atEnd), silent),
  );
} else {
  describe('the store of uploads: a bucket of a store in earnest', () => {
    test('needs one: one that S3_BUCKET names, or Docker', ({ skip }) => skip());
  });
}
