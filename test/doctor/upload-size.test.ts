import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { examineUploadSize } from '../../scripts/doctor/upload-size.ts';

test('the doctor names a proxy that refuses bodies of a size that the program takes', async () => {
  // As nginx does with its default of 1 MB: by the announced length, before a byte of the body.
  const proxy = createServer((request, response) => {
    response.writeHead(Number(request.headers['content-length']) > 1_048_576 ? 413 : 401).end();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  const url = new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  expect(await examineUploadSize(url, 50)).toMatchObject({
    state: 'fault',
    found: 'it refuses a body of 50 MB (413), which the setting upload_file_mb allows',
  });
  expect(await examineUploadSize(url, 0)).toMatchObject({ state: 'ok' });
});
