import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { streamName } from '../../services/domain/aggregate.ts';
import { readEnvironment } from '../../services/environment.ts';
import { openLog } from '../../services/log/open.ts';
import { befriended, inOrder, listen, patiently, Sending } from '../support/conversation.ts';
import { temporaryFolder } from '../support/folder.ts';
import { kill, projectingPid, shareEnvironment, startAlone, startGateway } from '../support/many.ts';
import { type NatsServer, natsServer, natsServerIsInstalled } from '../support/nats.ts';
import { startProgram } from '../support/process.ts';
import { newEventId } from '../support/projecting.ts';
import { runScript } from '../support/script.ts';

const Ready = z.object({ parts: z.record(z.string(), z.object({ ready: z.boolean() })) });

const several = describe.skipIf(!natsServerIsInstalled);

/** The status of a program, and the parts of it that are not ready. */
async function readiness({ url }: { readonly url: string }) {
  const answer = await fetch(`${url}/ready`);
  const { parts } = Ready.parse(await answer.json());
  return {
    status: answer.status,
    parts: Object.keys(parts),
    lacking: Object.keys(parts).filter((name) => parts[name]?.ready !== true),
  };
}

several(
  'api, projectors and gateways each in a process of its own (need nats-server)',
  { timeout: 90_000 },
  () => {
    let nats: NatsServer;
    beforeAll(async () => {
      nats = await natsServer();
      await nats.start();
    });
    afterAll(() => nats.kill());

    test('serve as one: what is sent at two APIs is received once, in order, also over the end of the projector', async () => {
      const shared = await shareEnvironment(nats);
      const uploads = { DATA_DIR: await temporaryFolder() };
      const [one, other] = await Promise.all([
        startAlone('projector', shared),
        startAlone('projector', shared),
      ]);
      const [firstApi, secondApi, gateway] = await Promise.all([
        startAlone('api', shared, uploads),
        startAlone('api', shared, uploads),
        startGateway(shared),
      ]);
      const [tom, jerry] = await befriended(firstApi);
      const client = await listen(gateway, jerry);
      const sendings = [
        new Sending(firstApi, tom, jerry, 'first'),
        new Sending(secondApi, tom, jerry, 'second'),
      ];
      const more = (count: number) => Promise.all(sendings.map((sending) => sending.more(count)));
      await more(10);
      const [mortal, standby] =
        (await projectingPid(shared)) === one.program.pid ? [one, other] : [other, one];
      await kill(mortal);
      await more(10);
      for (const sending of sendings) await sending.stop();
      const acknowledged = sendings.reduce((sum, sending) => sum + sending.acknowledged.length, 0);
      await vi.waitUntil(
        () => sendings.reduce((sum, sending) => sum + sending.receivedBy(client).length, 0) >= acknowledged,
        patiently,
      );
      await client.caughtUp();
      for (const sending of sendings) expect(sending.receivedBy(client)).toEqual(sending.acknowledged);
      expect(inOrder(client)).toBe(true);
      expect(await projectingPid(shared)).toBe(standby.program.pid);
    });

    test('each says which of its parts are ready', async () => {
      const shared = await shareEnvironment(nats);
      const uploads = { DATA_DIR: await temporaryFolder() };
      const [projector, api] = await Promise.all([
        startAlone('projector', shared),
        startAlone('api', shared, uploads),
      ]);
      await expect
        .poll(() => readiness(api), patiently)
        .toEqual({
          status: 200,
          parts: ['serving', 'tables', 'log', 'database', 'projections', 'commands', 'ids', 'bus', 'files'],
          lacking: [],
        });
      expect(await readiness(projector)).toEqual({
        status: 200,
        parts: ['serving', 'tables', 'log', 'database', 'projector', 'bus'],
        lacking: [],
      });
    });

    test('a projector that stops before an event says 503, and names the event', async () => {
      const shared = await shareEnvironment(nats);
      const projector = await startAlone('projector', shared);
      await expect.poll(async () => (await readiness(projector)).status, patiently).toBe(200);
      const log = await openLog(readEnvironment(shared), shared.DATABASE_URL, pino({ level: 'silent' }));
      const unknown = { id: newEventId(), type: 'UserTeleported', data: {}, metadata: {} };
      await log.append(streamName('user-5'), 'any', [unknown]);
      await log.close();
      await expect
        .poll(() => readiness(projector), patiently)
        .toMatchObject({ status: 503, lacking: ['projector'] });
      expect(await (await fetch(`${projector.url}/ready`)).json()).toMatchObject({
        parts: {
          projector: {
            reason: expect.stringContaining('UserTeleported at user-5@0'),
            position: expect.stringMatching(/^\d/),
          },
        },
      });
    });

    test('an API refuses commands, and says why, while the projector in another process stops before an event', async () => {
      const shared = await shareEnvironment(nats);
      const uploads = { DATA_DIR: await temporaryFolder() };
      const [projector, api] = await Promise.all([
        startAlone('projector', shared),
        startAlone('api', shared, uploads),
      ]);
      let added = 0;
      const add = () => {
        const username = `person${++added}`;
        return api.call('/api/user/add', 'server', { username, nickname: '甲', password: 'secret-1' });
      };
      await expect.poll(async () => (await readiness(api)).status, patiently).toBe(200);
      expect(await add()).toMatchObject({ code: 0 });
      const log = await openLog(readEnvironment(shared), shared.DATABASE_URL, pino({ level: 'silent' }));
      const joined = { gid: 7, uid: 1, noticeMid: 900_000 };
      const metadata = { time: 0, actor: 'server', version: 2, $correlationId: 'x', $causationId: 'x' };
      const left = await log.append(streamName('group-7'), 'any', [
        { id: newEventId(), type: 'MemberJoined', data: joined, metadata },
      ]);
      await log.close();
      const position = left.outcome === 'appended' ? left.position : '';
      await expect
        .poll(() => readiness(api), patiently)
        .toMatchObject({ status: 503, lacking: ['projections'] });
      const stopped = { reason: expect.stringContaining('MemberJoined at group-7@0'), position };
      for (const [{ url }, part] of [[api, 'projections'] as const, [projector, 'projector'] as const]) {
        expect(await (await fetch(`${url}/ready`)).json()).toMatchObject({ parts: { [part]: stopped } });
      }
      await expect.poll(add, patiently).toMatchObject({ code: 503 });
      expect(await api.call('/api/user/get', 'server', { username: 'person1' })).toMatchObject({ code: 0 });
      const skipped = await runScript('skip', [position, '--why', 'a test'], shared);
      expect(skipped.code).toBe(0);
      await expect.poll(() => readiness(api), patiently).toMatchObject({ status: 200, lacking: [] });
      await expect.poll(add, patiently).toMatchObject({ code: 0 });
    });

    test('one that was asked to end says so for DRAIN_SECONDS, answers requests meanwhile, and ends with 0', async () => {
      const shared = await shareEnvironment(nats);
      const uploads = { DATA_DIR: await temporaryFolder(), DRAIN_SECONDS: '2' };
      await startAlone('projector', shared);
      const api = await startAlone('api', shared, uploads);
      await expect.poll(async () => (await readiness(api)).status, patiently).toBe(200);
      api.program.signal('SIGTERM');
      await expect
        .poll(() => readiness(api), { timeout: 1_500, interval: 20 })
        .toMatchObject({ status: 503, lacking: ['serving'] });
      expect(await api.call('/api/pop/getsetting', 'nobody')).toMatchObject({ code: 0 });
      expect(await api.program.ended).toBe(0);
    });

    test.each(['api', 'projector', 'gateway'])(
      '%s: alone it names the variables that it needs',
      async (name) => {
        const program = startProgram(`services/${name}.ts`, [], {});
        expect(await program.ended).toBe(1);
        expect(program.stderr()).toMatch(/alone needs DATABASE_URL, NATS_URL, APP_KEY and APP_SECRET/);
      },
    );
  },
);
