import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createHttp } from '../../services/api/http.ts';
import { appends } from '../../services/measurements.ts';
import { createMetrics } from '../../services/metrics/metrics.ts';
import { serveHealth } from '../../services/readiness.ts';
import { app } from '../gateway/harness.ts';
import { befriended, listen, patiently, received, Sending } from '../support/conversation.ts';
import { freePort } from '../support/free-port.ts';
import { preparedFolder } from '../support/prepared-folder.ts';
import { startStandalone } from '../support/standalone.ts';

const Dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});
const Alerts = z.object({
  groups: z.array(
    z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string(), annotations: z.unknown() })) }),
  ),
});

/** The names of series in the text that Prometheus reads, with those of histograms. */
function seriesIn(text: string): ReadonlySet<string> {
  return new Set(Array.from(text.matchAll(/^([a-z_]+)(?:\{|\s)/gm), ([, name = '']) => name));
}

/** The sum of a series over its labels that contain a text. */
function sumOf(text: string, name: string, labels = ''): number {
  return Array.from(text.matchAll(new RegExp(`^${name}(\\{[^\\n]*\\})? (\\S+)$`, 'gm')))
    .filter(([, found = '']) => found.includes(labels))
    .reduce((sum, [, , value]) => sum + Number(value), 0);
}

/** The values that a label has in a series. */
function valuesOf(text: string, name: string, label: string): ReadonlySet<string> {
  const labelled = new RegExp(`^${name}\\{[^\\n]*\\b${label}="([^"]*)"`, 'gm');
  return new Set(Array.from(text.matchAll(labelled), ([, value = '']) => value));
}

describe('the metrics of a program', () => {
  let text = '';
  let acknowledged = 0;
  let eventsReceived = 0;

  beforeAll(async () => {
    const stops: (() => unknown)[] = [];
    const atEnd = (stop: () => unknown) => void stops.push(stop);
    try {
      const METRICS_PORT = String(await freePort());
      const api = await startStandalone(
        await preparedFolder(atEnd),
        { METRICS_PORT, APP_KEY: app.key, APP_SECRET: app.secret },
        atEnd,
      );
      const [tom, jerry] = await befriended(api);
      const client = await listen(api, jerry);
      const sending = new Sending(api, tom, jerry, 'counted');
      await sending.more(5);
      await sending.stop();
      await vi.waitUntil(() => received(client).length >= sending.acknowledged.length, patiently);
      await client.caughtUp();
      acknowledged = sending.acknowledged.length;
      eventsReceived = client.frames.filter(({ event }) => !event.startsWith('pusher')).length;
      for (let count = 0; count < 5; count++) await api.call(`/api/no/such${count}`, 'nobody');
      for (const method of ['PUT', 'DELETE', 'PROPFIND']) {
        await fetch(`${api.url}/api/message/send`, { method });
      }
      const answer = await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`);
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
      text = await answer.text();
    } finally {
      for (const stop of stops.reverse()) await stop();
    }
  }, 90_000);

  test('count each answer by call and code, with the time that it took', () => {
    for (const [call, count] of [
      ['/user/add', 2],
      ['/login/login', 2],
      ['/friend/add', 1],
      ['/message/send', acknowledged],
    ] as const) {
      expect(sumOf(text, 'bubble_calls_total', `call="${call}",code="0"`), call).toBe(count);
      expect(sumOf(text, 'bubble_call_seconds_count', `call="${call}"`), call).toBe(count);
      expect(sumOf(text, 'bubble_call_seconds_sum', `call="${call}"`), call).toBeGreaterThan(0);
    }
    expect(sumOf(text, 'bubble_call_seconds_count')).toBe(sumOf(text, 'bubble_calls_total'));
  });

  test('have no name that a client made up: all unknown paths and methods are one', () => {
    expect(sumOf(text, 'bubble_calls_total', 'code="404"')).toBeGreaterThanOrEqual(5);
    expect(text).not.toContain('no/such');
    const ours = ['/user/add', '/login/login', '/friend/add', '/message/send', '/ready', '/metrics'];
    const others = [...valuesOf(text, 'bubble_calls_total', 'call')].filter((call) => !ours.includes(call));
    expect(others).toEqual(['none']);
  });

  test('count appends, batches, pushes and deliveries', () => {
    const appended = sumOf(text, 'bubble_appended_events_total');
    expect(appended).toBeGreaterThanOrEqual(acknowledged);
    expect(sumOf(text, 'bubble_append_seconds_count', 'outcome="appended"')).toBeLessThanOrEqual(appended);
    expect(sumOf(text, 'bubble_append_seconds_sum', 'outcome="appended"')).toBeGreaterThan(0);
    expect(sumOf(text, 'bubble_batch_events_sum')).toBeLessThanOrEqual(appended);
    expect(sumOf(text, 'bubble_batch_events_sum')).toBeGreaterThanOrEqual(acknowledged);
    expect(sumOf(text, 'bubble_pushes_total')).toBeGreaterThanOrEqual(acknowledged);
    expect(sumOf(text, 'bubble_push_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(sumOf(text, 'bubble_push_seconds_sum')).toBeGreaterThan(0);
    expect(sumOf(text, 'bubble_delivered_events')).toBe(eventsReceived);
  });

  test('show sockets, lag, connections and sizes of the moment', () => {
    expect(sumOf(text, 'bubble_sockets')).toBe(1);
    expect(sumOf(text, 'bubble_subscriptions')).toBe(1);
    expect(sumOf(text, 'bubble_unread_bytes')).toBe(0);
    expect(sumOf(text, 'bubble_follower_behind', 'follower="audit"')).toBeGreaterThanOrEqual(0);
    expect(valuesOf(text, 'bubble_follower_behind', 'follower')).toEqual(new Set(['read', 'audit']));
    expect(sumOf(text, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    expect(sumOf(text, 'bubble_follower_behind', 'follower="read"')).toBe(0);
    expect(sumOf(text, 'bubble_projection_lag_seconds')).toBe(0);
    expect(sumOf(text, 'bubble_pool_connections')).toBeGreaterThanOrEqual(1);
    expect(sumOf(text, 'bubble_database_bytes')).toBeGreaterThan(1_000_000);
    expect(sumOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  });

  test('say of each part that /ready names whether it is ready', () => {
    const parts = ['serving', 'tables', 'log', 'database', 'projections', 'commands', 'ids', 'projector'];
    const others = ['gateway', 'bus', 'files', 'audit', 'proof'];
    expect(valuesOf(text, 'bubble_part_ready', 'part')).toEqual(new Set([...parts, ...others]));
    expect(sumOf(text, 'bubble_part_ready')).toBe(parts.length + others.length);
  });

  test('hold nothing of what was said', () => {
    expect(text).not.toContain('counted');
  });

  test('have every name that the dashboard, the alerts and the page for operators use', async () => {
    const dashboard = Dashboard.parse(
      JSON.parse(await readFile('docs/monitoring/grafana-dashboard.json', 'utf8')),
    );
    const alerts = Alerts.parse(parse(await readFile('docs/monitoring/alerts.yml', 'utf8')));
    const page = await readFile('docs/operations.md', 'utf8');
    const used = [
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
      /### Metrics\n(.*?)\n## /s.exec(page)?.[1] ?? '',
    ].flatMap((expression) => expression.match(/\b(bubble|nodejs|process)_[a-z][a-z0-9_]*/g) ?? []);
    expect(used.length).toBeGreaterThan(30);
    // The dashboards' counters of closed sockets and gaps have no value before one was closed or lost.
    const known = new Set(Array.from(text.matchAll(/^# TYPE (\w+) /gm), ([, name = '']) => name));
    for (const name of seriesIn(text)) known.add(name);
    for (const name of used) expect(known, name).toContain(name);
  });

  test('are each shown by a panel of the dashboard', async () => {
    const dashboard = await readFile('docs/monitoring/grafana-dashboard.json', 'utf8');
    const ours = Array.from(text.matchAll(/^# TYPE (bubble_\w+) /gm), ([, name = '']) => name);
    expect(ours.length).toBeGreaterThan(15);
    expect(ours.filter((name) => !dashboard.includes(name))).toEqual([]);
  });
});

test('an append is measured only while somebody counts', async () => {
  expect(appends.wanted).toBe(false);
  const metrics = createMetrics();
  onTestFinished(() => metrics.stop());
  expect(appends.wanted).toBe(true);
  metrics.stop();
  expect(appends.wanted).toBe(false);
});

test('a part that is not ready, or whose state cannot be found, has 0, also if /ready stays 200', async () => {
  const metrics = createMetrics();
  onTestFinished(() => metrics.stop());
  const server = await createHttp(pino({ level: 'silent' }));
  onTestFinished(() => server.close());
  serveHealth(
    server,
    metrics,
    { serving: () => ({ ready: true }) },
    {
      proof: () => ({ ready: false, reason: 'the log lost events' }),
      files: () => Promise.reject(new Error('it is away')),
    },
  );
  const { text } = await metrics.show();
  expect(text).toContain('bubble_part_ready{part="serving"} 1\n');
  expect(text).toContain('bubble_part_ready{part="proof"} 0\n');
  expect(text).toContain('bubble_part_ready{part="files"} 0\n');
  expect((await server.inject('/ready')).statusCode).toBe(200);
});

test('a figure that cannot be read hides no other', async () => {
  const metrics = createMetrics();
  onTestFinished(() => metrics.stop());
  metrics.gauge('away', 'Of a database that is away', () => Promise.reject(new Error('it is away')));
  metrics.gauge('present', 'Of this process', () => ({ '': 3 }));
  const { text } = await metrics.show();
  expect(sumOf(text, 'bubble_present')).toBe(3);
  expect(text).not.toMatch(/^bubble_away/m);
});
