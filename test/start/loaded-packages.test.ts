import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Those that only some installations or few calls use: each takes 20 to 120 ms and 10 to 30 MB. */
const onUse = [
  ...['@aws-sdk/client-s3', '@alicloud/dysmsapi20170525', '@eventstore/db-client', 'nats'],
  ...['prom-client', '@opentelemetry/sdk-trace', 'sharp', 'pinyin-pro', 'file-type', 'qrcode', 'svg-captcha'],
];

test('a start loads no package that only some installations or few calls use', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['test/start/loaded-packages.ts']);
  const loaded: string[] = JSON.parse(stdout);
  expect(loaded).toContain('fastify');
  expect(loaded.filter((name) => onUse.includes(name))).toEqual([]);
});
