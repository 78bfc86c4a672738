import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { makeBackup } from '../../services/backup/make-backup.ts';
import { openBucket } from '../../services/files/bucket.ts';
import { openLocalFolder } from '../../services/files/local-folder.ts';
import { silent } from '../support/accounts.ts';
import { temporaryFolder } from '../support/folder.ts';
import { query } from '../support/installation.ts';
import { startProgram } from '../support/process.ts';
import { startS3 } from '../support/s3.ts';
import { uploaded } from '../support/uploading.ts';
import { emptyDatabase, partsOf, restored, running, verified } from './backup-harness.ts';

const bytes = new TextEncoder().encode('what somebody wrote down');

/** The path of a stored file in its store. */
const pathOf = (src: string) => /\/upload\/(.+)$/.exec(src)?.[1] ?? '';

test('uploads in a bucket are in the backup, and are restored into a folder or another bucket', async () => {
  const [s3, other] = [
    await startS3(onTestFinished, { lists: true }),
    await startS3(onTestFinished, { lists: true }),
  ];
  const { app } = await running({ bucket: s3.bucket });
  const { src } = await uploaded(app, { path: '/upload/file', bytes, name: 'notes.txt' });
  const store = await openBucket(s3.bucket, silent);
  onTestFinished(() => store.close());
  const folder = await temporaryFolder();
  const parts = await partsOf(app.databaseUrl, store);
  const first = await makeBackup({ ...parts, folder, log: app.application.log });
  expect(first.newUploads).toBe(1);
  expect((await makeBackup({ ...parts, folder, log: app.application.log })).newUploads).toBe(0);

  const { dataFolder } = await restored(folder);
  expect(await readFile(join(dataFolder, 'files', 'upload', pathOf(src)), 'utf8')).toBe(
    'what somebody wrote down',
  );
  const target = await openBucket(other.bucket, silent);
  onTestFinished(() => target.close());
  await restored(folder, { store: target });
  expect(await Array.fromAsync(target.list())).toEqual([pathOf(src)]);
});

test('a bucket that is away ends a backup, and leaves the one before whole', async () => {
  const s3 = await startS3(onTestFinished, { lists: true });
  const { app } = await running({ bucket: s3.bucket });
  const store = await openBucket(s3.bucket, silent);
  onTestFinished(() => store.close());
  const folder = await temporaryFolder();
  const parts = await partsOf(app.databaseUrl, store);
  const { manifest } = await makeBackup({ ...parts, folder, log: app.application.log });
  await s3.stop();
  await expect(makeBackup({ ...parts, folder, log: app.application.log })).rejects.toThrow(
    'the files could not be listed',
  );
  expect((await verified(folder)).manifest.id).toBe(manifest.id);
});

test('a bucket that refuses ends npm run backup, which leaves no connection open', async () => {
  const refusing = createServer((_request, response) => response.writeHead(403).end()).listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  onTestFinished(() => void refusing.close());
  const { port } = z.object({ port: z.int() }).parse(refusing.address());
  const { app } = await running();
  const program = startProgram('scripts/backup.ts', ['--to', await temporaryFolder()], {
    ...{ DATABASE_URL: app.databaseUrl, DATA_DIR: await temporaryFolder(), S3_BUCKET: 'uploads' },
    ...{ S3_ENDPOINT: `http://127.0.0.1:${port}`, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
  });
  expect(await program.ended).toBe(1);
  expect(program.stderr()).toMatch(/^backup: .*uploads/m);
});

test('a damaged upload is named before anything is written, and copied again once it is removed', async () => {
  const { app, parts } = await running();
  const { src } = await uploaded(app, { path: '/upload/file', bytes, name: 'notes.txt' });
  const folder = await temporaryFolder();
  await makeBackup({ ...parts, folder, log: app.application.log });
  const file = join(folder, 'uploads', pathOf(src));
  await writeFile(file, 'what somebody wrote dawn');
  const url = await emptyDatabase();
  await expect(restored(folder, { url })).rejects.toThrow(`${file} is damaged`);
  expect((await query(url, `select to_regclass('restore.state') as mark`)).rows).toEqual([{ mark: null }]);

  await rm(file);
  await expect(restored(folder, { url })).rejects.toThrow(`${file} is missing`);
  expect((await makeBackup({ ...parts, folder, log: app.application.log })).newUploads).toBe(1);
  const { dataFolder } = await restored(folder, { url });
  expect(await readFile(join(dataFolder, 'files', 'upload', pathOf(src)), 'utf8')).toBe(
    'what somebody wrote down',
  );
  expect(await readdir(join(dataFolder, 'files', 'incoming'))).toEqual([]);
});

test('an upload that was cut off in the backup is copied again by the next one', async () => {
  const { app, parts } = await running();
  const { src } = await uploaded(app, { path: '/upload/file', bytes, name: 'notes.txt' });
  const folder = await temporaryFolder();
  await makeBackup({ ...parts, folder, log: app.application.log });
  await writeFile(join(folder, 'uploads', pathOf(src)), 'what');
  await makeBackup({ ...parts, folder, log: app.application.log });
  await verified(folder);
  const store = await openLocalFolder(join(app.filesFolder, 'upload'));
  expect(await Array.fromAsync(store.list())).toEqual([pathOf(src)]);
});
