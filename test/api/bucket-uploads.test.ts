import { beforeAll, expect, test } from 'vitest';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { afterAllTests } from '../support/at-end.ts';
import { refusedWith } from '../support/client.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { download, picture, upload, uploaded } from '../support/uploading.ts';

const atEnd = afterAllTests();
let s3: S3Server;
let running: RunningApplication;
beforeAll(async () => {
  s3 = await startS3(atEnd);
  running = await startApplication({ bucket: s3.bucket });
  atEnd(() => running.stop());
});

const away = refusedWith(503, '文件存储暂不可用,请稍后再试');

test('what is kept in a bucket is served as what is kept in a folder', async () => {
  const bytes = new TextEncoder().encode('0123456789');
  const { src } = await uploaded(running, { path: '/upload/file', bytes, name: '合同.pdf' });
  const whole = await download(src);
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    'content-disposition': `attachment; filename="??.pdf"; filename*=UTF-8''%E5%90%88%E5%90%8C.pdf`,
    'content-length': '10',
    'cache-control': expect.stringContaining('immutable'),
  });
  expect(await whole.text()).toBe('0123456789');
  const part = await download(src, { range: 'bytes=2-4' });
  expect([part.status, await part.text()]).toEqual([206, '234']);
  const image = await uploaded(running, { bytes: await picture('png') });
  expect((await download(image.src)).headers.get('content-type')).toBe('image/png');
});

test('what is not in the bucket is 404', async () => {
  const response = await fetch(`${running.url}/upload/files/202104/${'0'.repeat(32)}.pdf`);
  expect([response.status, await response.json()]).toEqual([404, refusedWith(404, '文件不存在')]);
});

test('while the bucket is away, uploads and downloads say so, and nobody keeps the answer', async () => {
  const { src } = await uploaded(running, { bytes: await picture('png') });
  await s3.stop();
  const refused = await upload(running, { bytes: await picture('png') });
  expect([refused.status, refused.answer]).toEqual([503, away]);
  const missed = await download(src);
  expect([missed.status, await missed.json()]).toEqual([503, away]);
  expect(missed.headers.get('cache-control')).toBe('no-store');
  await s3.start();
  expect((await download(src)).status).toBe(200);
});
