import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../services/environment.ts';
import { variableNames } from '../../services/environment-variables.ts';

describe('the environment', () => {
  const defaults = {
    host: '127.0.0.1',
    port: 8787,
    trustProxy: undefined,
    dataFolder: resolve('./data'),
    databaseUrl: undefined,
    eventStoreUrl: undefined,
    streamPrefix: '',
    natsUrl: undefined,
    appId: 'bubble-im',
    appKeys: undefined,
    bucket: undefined,
    aliyunSms: undefined,
    drainSeconds: 0,
    audit: true,
    metrics: undefined,
    tracing: undefined,
    auditKey: undefined,
    auditOrigin: 'bubble-im/bubble-im',
    auditWitness: undefined,
    logLevel: 'info',
  };

  test('is documented on the page for operators, each variable', async () => {
    const page = await readFile('docs/operations.md', 'utf8');
    const table = /## Variables\n(.*?)\n## /s.exec(page)?.[1] ?? '';
    for (const name of variableNames) expect(table).toContain(`\`${name}\``);
  });

  test('has a default for everything', () => {
    expect(readEnvironment({})).toEqual(defaults);
  });

  test('treats an empty variable as not given', () => {
    expect(readEnvironment(Object.fromEntries(variableNames.map((name) => [name, ''])))).toEqual(defaults);
  });

  test('contains what is given, and ignores other variables', () => {
    const read = readEnvironment({
      HOST: '::1',
      PORT: '0',
      TRUST_PROXY: '10.0.0.0/8, fd00::1',
      DATA_DIR: '/srv/im',
      DATABASE_URL: 'postgresql://im:pw@db/im',
      EVENTSTORE_URL: 'esdb+discover://one:2113,two:2113?tls=false',
      STREAM_PREFIX: 'chat-',
      NATS_URL: 'nats://one:4222,nats://two:4222',
      APP_ID: 'chat',
      APP_KEY: 'key-1',
      APP_SECRET: 'a/b+c=0123456789',
      S3_BUCKET: 'uploads',
      S3_REGION: 'eu-central-1',
      ALIYUN_SMS_SIGN: '泡泡',
      ALIYUN_SMS_TEMPLATE: 'SMS_123456',
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'id',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret',
      DRAIN_SECONDS: '15',
      AUDIT: 'off',
      METRICS_HOST: '10.0.0.7',
      METRICS_PORT: '9100',
      AUDIT_KEY: `${'A'.repeat(43)}=`,
      AUDIT_ORIGIN: 'chat.example/log',
      AUDIT_WITNESS: 'https://witness.example/prefix/',
      AUDIT_WITNESS_KEY: 'witness.example+01234567+AAAA',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_SERVICE_NAME: 'chat',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      LOG_LEVEL: 'debug',
      PATH: '/bin',
    });
    expect(read).toEqual({
      host: '::1',
      port: 0,
      trustProxy: ['10.0.0.0/8', 'fd00::1'],
      dataFolder: '/srv/im',
      databaseUrl: 'postgresql://im:pw@db/im',
      eventStoreUrl: 'esdb+discover://one:2113,two:2113?tls=false',
      streamPrefix: 'chat-',
      natsUrl: 'nats://one:4222,nats://two:4222',
      appId: 'chat',
      appKeys: { key: 'key-1', secret: 'a/b+c=0123456789' },
      bucket: { name: 'uploads', endpoint: undefined, region: 'eu-central-1', pathStyle: false },
      aliyunSms: {
        accessKey: { key: 'id', secret: 'secret' },
        sign: '泡泡',
        template: 'SMS_123456',
        endpoint: 'https://dysmsapi.aliyuncs.com',
      },
      drainSeconds: 15,
      audit: false,
      metrics: { host: '10.0.0.7', port: 9100 },
      tracing: { url: 'http://collector:4318/v1/traces', serviceName: 'chat', share: 0.25 },
      auditKey: `${'A'.repeat(43)}=`,
      auditOrigin: 'chat.example/log',
      auditWitness: { url: 'https://witness.example/prefix', verifierKey: 'witness.example+01234567+AAAA' },
      logLevel: 'debug',
    });
  });

  test('reads a file as where heads of the audit log go, and a name of the log after the app', () => {
    const read = readEnvironment({ APP_ID: 'chat', AUDIT_WITNESS: './heads' });
    expect(read).toMatchObject({ auditOrigin: 'bubble-im/chat', auditWitness: { file: resolve('./heads') } });
  });

  test('reads a number of proxies as a number', () => {
    expect(readEnvironment({ TRUST_PROXY: '2' }).trustProxy).toBe(2);
  });

  test('expects the bucket in the path, and no region, of a store that is not Amazon’s', () => {
    const elsewhere = { S3_BUCKET: 'uploads', S3_ENDPOINT: 'http://minio:9000' };
    expect(readEnvironment(elsewhere).bucket).toMatchObject({ region: 'us-east-1', pathStyle: true });
    const oss = { ...elsewhere, S3_REGION: 'cn-hangzhou', S3_PATH_STYLE: 'off' };
    expect(readEnvironment(oss).bucket).toMatchObject({ region: 'cn-hangzhou', pathStyle: false });
  });

  test.each([
    [{ APP_KEY: 'k' }, 'APP_KEY needs APP_SECRET beside it'],
    [{ APP_SECRET: 's'.repeat(16) }, 'APP_SECRET needs APP_KEY beside it'],
    [{ STREAM_PREFIX: 'chat-' }, 'STREAM_PREFIX needs EVENTSTORE_URL beside it'],
    [{ METRICS_HOST: '10.0.0.7' }, 'METRICS_HOST needs METRICS_PORT beside it'],
    [{ AUDIT_WITNESS: 'https://w.example' }, 'a URL as AUDIT_WITNESS needs AUDIT_WITNESS_KEY beside it'],
    [{ AUDIT_WITNESS_KEY: 'w+01234567+AAAA' }, 'AUDIT_WITNESS_KEY needs AUDIT_WITNESS beside it'],
    [{ S3_ENDPOINT: 'http://minio:9000' }, 'S3_ENDPOINT needs S3_BUCKET beside it'],
    [{ ALIYUN_SMS_TEMPLATE: 'SMS_1' }, 'ALIYUN_SMS_TEMPLATE needs ALIYUN_SMS_SIGN beside it'],
    [
      { ALIYUN_SMS_SIGN: '泡泡', ALIBABA_CLOUD_ACCESS_KEY_ID: 'id' },
      'ALIYUN_SMS_SIGN needs ALIYUN_SMS_TEMPLATE and ALIBABA_CLOUD_ACCESS_KEY_SECRET beside it',
    ],
  ])('refuses %j, which is half of something', (given, message) => {
    expect(() => readEnvironment(given)).toThrow(message);
  });

  test.each([
    'postgres://u:a,b@one:5432/d',
    'postgres://u:p@one/d?application_name=a,b',
    'postgres:///d?host=/run/pg',
  ])('accepts a database at one host: %s', (url) => {
    expect(readEnvironment({ DATABASE_URL: url }).databaseUrl).toBe(url);
  });

  test('accepts credentials that serve another purpose', () => {
    const { aliyunSms } = readEnvironment({ ALIBABA_CLOUD_ACCESS_KEY_ID: 'id' });
    expect(aliyunSms).toBeUndefined();
  });

  test.each([
    ['PORT', '65536', 'PORT must be a whole number from 0 to 65535, not "65536"'],
    ['AUDIT_KEY', 'secret', 'AUDIT_KEY must be 32 bytes in base64'],
    ['AUDIT_ORIGIN', 'my log', 'AUDIT_ORIGIN must be 1 to 200 characters without blanks and +, not "my log"'],
    ['AUDIT_WITNESS_KEY', 'w', 'AUDIT_WITNESS_KEY must be a verifier key: name+id+key, not "w"'],
    ['PORT', '80.5', 'PORT must be a whole number from 0 to 65535, not "80.5"'],
    ['PORT', '-1', 'PORT must be a whole number from 0 to 65535, not "-1"'],
    [
      'TRUST_PROXY',
      'proxy.example',
      'TRUST_PROXY must be a number of proxies, or addresses and networks such as 10.0.0.0/8, not "proxy.example"',
    ],
    ['TRUST_PROXY', '10.0.0.0/33', 'TRUST_PROXY must be a number of proxies'],
    ['TRUST_PROXY', '0.0.0.0/0', 'TRUST_PROXY must be a number of proxies'],
    ['TRUST_PROXY', '::/0', 'TRUST_PROXY must be a number of proxies'],
    ['TRUST_PROXY', '10.0.0.1,,10.0.0.2', 'TRUST_PROXY must be a number of proxies'],
    ['TRUST_PROXY', '-1', 'TRUST_PROXY must be a number of proxies'],
    ['HOST', 'http://here', 'HOST must be an address or a host name, not "http://here"'],
    ['DATABASE_URL', 'mysql://u:secret@h/d', 'DATABASE_URL must be a URL that begins with postgres://'],
    ['DATABASE_URL', 'postgres://u:p@one:5432,two:5432/d', 'DATABASE_URL must name one host'],
    ['DATABASE_URL', 'postgres://one,two?target_session_attrs=read-write', 'DATABASE_URL must name one host'],
    ['DATABASE_URL', 'postgres://u@/d?port=1,2&host=one,two', 'DATABASE_URL must name one host'],
    ['EVENTSTORE_URL', 'localhost:2113', 'EVENTSTORE_URL must be a URL that begins with esdb://'],
    ['NATS_URL', 'localhost', 'NATS_URL must be a URL that begins with nats://'],
    [
      'STREAM_PREFIX',
      '$im',
      'STREAM_PREFIX must be a letter, up to 30 letters, digits, _ or ., and a -, and no category of ours, not "$im"',
    ],
    ['STREAM_PREFIX', 'user-', 'STREAM_PREFIX must be a letter'],
    ['APP_ID', 'a/b', 'APP_ID must be 1 to 64 letters, digits, - or _, not "a/b"'],
    ['APP_KEY', 'a:b', 'APP_KEY must be 1 to 128 letters, digits, - or _'],
    ['APP_SECRET', 'two secret words', 'APP_SECRET must be 16 to 256 visible ASCII characters'],
    ['APP_SECRET', 'fifteen-letters', 'APP_SECRET must be 16 to 256 visible ASCII characters'],
    ['S3_BUCKET', 'My/Bucket', 'S3_BUCKET must be the name of a bucket, not "My/Bucket"'],
    ['S3_ENDPOINT', 'minio:9000', 'S3_ENDPOINT must be a URL that begins with https:// or http://'],
    ['S3_PATH_STYLE', 'yes', 'S3_PATH_STYLE must be on or off, not "yes"'],
    ['ALIYUN_SMS_TEMPLATE', 'SMS 1', 'ALIYUN_SMS_TEMPLATE must be the code of a template'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "1.5"'],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'collector:4318',
      'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL that begins',
    ],
    [
      'LOG_LEVEL',
      'loud',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud"',
    ],
  ])('refuses %s=%s by its name', (name, value, message) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(message);
  });

  test('names all errors in one line, without values that may be secret', () => {
    const wrong = {
      PORT: 'x',
      DATABASE_URL: 'http://u:secret@h',
      APP_SECRET: 'the secret',
      APP_KEY: 'secret!',
    };
    const read = () => readEnvironment(wrong);
    expect(read).toThrow(/^(?!.*secret).*PORT .*DATABASE_URL .*APP_KEY .*APP_SECRET [^\n]*$/);
  });
});
