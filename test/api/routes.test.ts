import { afterAll, beforeAll, expect, test } from 'vitest';
import { prefixesOf } from '../../contracts/http/contract.ts';
import { healthRoutes } from '../../services/api/health.ts';
import { createServer } from '../../services/api/server.ts';
import { tokenSessions } from '../../services/gateway/connections/sessions.ts';
import { createGateway } from '../../services/gateway/gateway.ts';
import { silent } from '../support/accounts.ts';
import { type RunningApplication, startApplication, testApp } from '../support/application.ts';
import { servedContracts } from '../support/contracts.ts';
import { besideTheCalls, callsOf, routesOf } from '../support/routes.ts';

let running: RunningApplication;
beforeAll(async () => {
  running = await startApplication();
});
afterAll(() => running.stop());

test('every route of the whole program is a call with a contract, or one of the listed others', async () => {
  const { application, bus } = running;
  const server = await createServer(application);
  healthRoutes(server, {});
  const { tokens, pool } = application;
  const sessions = tokenSessions(tokens, async () => ({ token_days: 30 }));
  await server.register(
    createGateway({ bus, database: pool, app: testApp, sessions, logger: silent }).routes,
  );
  await server.ready();
  const contracts = servedContracts().flatMap(({ path, methods }) =>
    methods.map((method) => `${method} ${path}`),
  );
  expect(callsOf(server)).toEqual(contracts.sort());
  const routes = routesOf(server);
  for (const [beside] of besideTheCalls) {
    expect(
      routes.filter((route) => beside.test(route)),
      `${beside}`,
    ).not.toEqual([]);
  }
  await server.close();
});

test('each call is served under each prefix, but what is not for clients', () => {
  const served = servedContracts().flatMap((contract) =>
    contract.methods.flatMap((method) =>
      prefixesOf(contract).map((prefix) => `${method} ${prefix}${contract.path}`),
    ),
  );
  expect(served).toContain('GET /dev/sms');
  expect(served).toContain('GET /h5/pop/get');
  expect(routesOf(running.server)).toEqual(expect.arrayContaining(served));
});
