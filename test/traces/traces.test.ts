import { hostname } from 'node:os';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { calls } from '../../services/measurements.ts';
import { startTraces } from '../../services/traces/traces.ts';
import { befriended, listen, patiently, received } from '../support/conversation.ts';
import { freePort } from '../support/free-port.ts';
import { shareEnvironment, startApi, startGateway } from '../support/many.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startTraceCollector } from '../support/trace-collector.ts';

const call = { call: '/user/get', code: 0, ms: 2.5, method: 'GET', status: 200 };
const request = '0199c1f0-5a3e-7b21-9c44-8d3e5f6a7b80';

test.skipIf(!natsServerIsInstalled)(
  'each request is one trace with the id of the request: its append, its projection, and its push by another process, also if the bus lost it (needs nats-server)',
  { timeout: 60_000 },
  async () => {
    const collector = await startTraceCollector(onTestFinished);
    const nats = await natsServer();
    await nats.start();
    onTestFinished(() => nats.kill());
    const shared = {
      ...(await shareEnvironment(nats)),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_SERVICE_NAME: 'chat',
    };
    const [api, gateway] = await Promise.all([startApi(shared), startGateway(shared)]);
    const [tom, jerry] = await befriended(api);
    const client = await listen(gateway, jerry);
    const ids: string[] = [];
    const sendOne = async () => {
      const answer = await fetch(`${api.url}/api/message/send`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tom.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ to: jerry.uid, type: 'friend', content: '这是秘密' }),
      });
      expect(answer.status).toBe(200);
      ids.push(answer.headers.get('x-request-id')?.replaceAll('-', '') ?? '');
      await vi.waitUntil(() => received(client).length === ids.length, patiently);
    };
    for (let count = 0; count < 3; count++) await sendOne();
    await nats.kill();
    await sendOne();
    await nats.start();
    for (const { program } of [api, gateway]) {
      program.signal('SIGTERM');
      expect(await program.ended).toBe(0);
    }
    const of = ({ program }: { readonly program: { readonly pid: number } }) =>
      `${hostname()}/${program.pid}`;
    for (const [index, id] of ids.entries()) {
      const child = { traceId: id, spanId: expect.any(String), parentSpanId: id.slice(16) };
      const trace = collector.spans.filter(({ traceId }) => traceId === id);
      // A gateway that has received nothing for a second looks into the database, and may find the push there first.
      const source = index === 3 ? 'database' : expect.stringMatching(/^(bus|database)$/);
      expect(trace).toHaveLength(4);
      expect(trace).toEqual(
        expect.arrayContaining([
          {
            ...{ traceId: id, spanId: id.slice(16), parentSpanId: undefined, instance: of(api) },
            name: 'POST /message/send',
            attributes: {
              'http.request.method': 'POST',
              'http.route': '/message/send',
              'http.response.status_code': 200,
              'bubble.code': 0,
            },
          },
          {
            ...{ ...child, name: 'append', instance: of(api) },
            attributes: { 'bubble.events': 1, 'bubble.outcome': 'appended' },
          },
          { ...child, name: 'project', instance: of(api), attributes: {} },
          { ...child, name: 'push', instance: of(gateway), attributes: { 'bubble.source': source } },
        ]),
      );
    }
    const sent = JSON.stringify(collector.spans);
    for (const secret of ['这是秘密', tom.token, jerry.token, shared.APP_SECRET]) {
      expect(sent).not.toContain(secret);
    }
  },
);

test('of all requests only a share is traced, if it says so', async () => {
  const collector = await startTraceCollector(onTestFinished);
  const tracing = { url: `${collector.url}/v1/traces`, serviceName: 'chat' };
  for (const share of [0, 1]) {
    const traces = startTraces({ ...tracing, share }, pino({ level: 'silent' }));
    calls.report({ ...call, request });
    await traces.stop();
  }
  expect(collector.spans).toMatchObject([{ traceId: request.replaceAll('-', ''), name: 'GET /user/get' }]);
});

test('if the collector is away, that is logged once, and the end of the program does not wait for it', async () => {
  const lines: unknown[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const url = `http://127.0.0.1:${await freePort()}/v1/traces`;
  const traces = startTraces({ url, serviceName: 'chat', share: 1 }, logger);
  for (let count = 0; count < 1_000; count++) calls.report({ ...call, request });
  await traces.stop();
  expect(lines).toMatchObject([{ level: 40, msg: 'traces could not be sent and are lost' }]);
});
