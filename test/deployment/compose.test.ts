import { access, readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { variableNames } from '../../services/environment-variables.ts';
import { befriended, listen, patiently, Sending } from '../support/conversation.ts';
import { temporaryFolder } from '../support/folder.ts';
import { shareEnvironment, startAlone, startGateway } from '../support/many.ts';
import { natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { nginxIsInstalled, startComposedNginx } from '../support/nginx.ts';
import { callableAt } from '../support/standalone.ts';

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      profiles: z.array(z.enum(['core', 'full'])),
      build: z.string().optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).default({}),
      ports: z.array(z.string()).default([]),
      depends_on: z
        .union([z.array(z.string()), z.record(z.string(), z.object({ condition: z.string() }))])
        .optional(),
      healthcheck: z.unknown().optional(),
      configs: z.array(z.object({ source: z.string() })).default([]),
    }),
  ),
  configs: z.record(z.string(), z.object({ content: z.string() })),
});

const { services, configs } = Compose.parse(
  parse(await readFile('docker-compose.yml', 'utf8'), { merge: true }),
);
const programs = Object.entries(services).filter(([, { build }]) => build !== undefined);
const servers = Object.keys(services).filter((name) => services[name]?.profiles.includes('core'));

describe('docker-compose.yml', () => {
  test('has the three servers in the profile core, and every program in the profile full', () => {
    expect(servers).toEqual(['eventstore', 'postgres', 'nats']);
    expect(programs.map(([name]) => name)).toEqual(['api', 'projector', 'auditor', 'gateway']);
    for (const { profiles } of Object.values(services)) expect(profiles).toContain('full');
  });

  test.each(programs)('runs a program that exists, with variables that it knows: %s', async (_, program) => {
    const [node, file = ''] = program.command ?? [];
    expect(node).toBe('node');
    await access(file);
    for (const name of Object.keys(program.environment)) expect(variableNames).toContain(name);
  });

  test('waits for servers by health checks that they have', () => {
    for (const [, { depends_on }] of programs) expect(Object.keys(depends_on ?? {})).toEqual(servers);
    for (const name of servers) expect(services[name]?.healthcheck).toBeDefined();
  });

  test('opens ports of this machine alone, and holds no secret', () => {
    for (const { ports } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
    for (const [, { environment }] of programs) {
      expect(environment.APP_KEY).toMatch(/^\$\{APP_KEY:-\}$/);
      expect(environment.APP_SECRET).toMatch(/^\$\{APP_SECRET:-\}$/);
    }
  });

  test.skipIf(!nginxIsInstalled || !natsServerIsInstalled)(
    'has a proxy that sends calls to the API and websockets to the gateway (needs nginx, nats-server)',
    { timeout: 90_000 },
    async () => {
      const nats = await natsServer();
      await nats.start();
      onTestFinished(() => nats.kill());
      const shared = { ...(await shareEnvironment(nats)), TRUST_PROXY: '1' };
      await startAlone('projector', shared);
      const [api, gateway] = await Promise.all([
        startAlone('api', shared, { DATA_DIR: await temporaryFolder() }),
        startGateway(shared),
      ]);
      const configuration = configs.proxy?.content.replaceAll('$$', '$') ?? '';
      const backends = { api: api.port, gateway: gateway.port };
      const { port } = await startComposedNginx(configuration, backends, onTestFinished);
      const proxied = callableAt(`http://127.0.0.1:${port}`, shared.APP_KEY, shared.APP_SECRET);
      const [tom, jerry] = await befriended(proxied);
      const client = await listen(proxied, jerry);
      const sending = new Sending(proxied, tom, jerry, 'by the proxy');
      await sending.more(3);
      await sending.stop();
      await expect.poll(() => sending.receivedBy(client), patiently).toEqual(sending.acknowledged);
      const unsigned = await fetch(`${proxied.url}/apps/${shared.APP_ID}/channels`);
      expect(unsigned.status).toBe(401);
    },
  );
});
