import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { skipEvent } from '../../services/commands/skip-event.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import { encode } from '../../services/log/codec.ts';
import type { NewEvent, Position } from '../../services/log/log.ts';
import { register } from '../support/acting.ts';
import { type RunningApplication, serverKey, startApplication } from '../support/application.ts';
import { gid, mid, registered, uid } from '../support/events.ts';
import { newEventId } from '../support/projecting.ts';

let running: RunningApplication;

beforeEach(async () => {
  running = await startApplication();
});

afterEach(() => running.stop());

const metadata = { time: 0, actor: 'server', $correlationId: 'test', $causationId: 'test' };

/** An event that a newer program, or a fault of one, has left in the log. */
async function leave(stream: string, event: NewEvent): Promise<Position> {
  const result = await running.application.log.append(streamName(stream), 'any', [event]);
  if (result.outcome !== 'appended') throw new Error(result.outcome);
  return result.position;
}

async function call(path: string, parameters: Record<string, string | number>) {
  const url = `/api${path}?${new URLSearchParams(
    Object.entries(parameters).map(([name, value]) => [name, `${value}`]),
  )}`;
  const answer = await running.server.inject({ method: 'GET', url, headers: serverKey });
  return { status: answer.statusCode, ...answer.json<{ code: number; msg: string }>() };
}

it.each([
  ['in a stream that commands are decided on: calls are', 'user-77', { status: 503, code: 503 }],
  ['in a conversation: commands are', 'conversation-f1-2', { status: 200, code: 0 }],
])('a newer event %s 503 with that reason, until it is passed over', async (_, stream, answerToQueries) => {
  const who = await register(running.application, '甲');
  await running.shown();
  expect(await call('/user/get', { uid: who })).toMatchObject({ code: 0 });
  const position = await leave(stream, {
    ...{ id: newEventId(), type: 'SomethingNewer', data: {} },
    metadata: { ...metadata, version: 1 },
  });
  await vi.waitUntil(() => running.projector.status().fault !== undefined);
  expect(await call('/user/get', { uid: who })).toMatchObject(answerToQueries);
  const account = { username: 'newcomer', nickname: '乙', password: 'secret-1' };
  expect(await call('/user/add', account)).toMatchObject({
    ...{ status: 503, code: 503 },
    msg: expect.stringContaining('请升级程序'),
  });
  await skipEvent(running.application.log, position, 'a test');
  await vi.waitUntil(() => running.application.isReady(), { timeout: 10_000 });
  expect(await call('/user/get', { uid: who })).toMatchObject({ code: 0 });
  expect(await call('/user/add', account)).toMatchObject({ code: 0 });
});

it('an event that cannot be projected: commands get 503 until it is skipped, queries answer as before it', async () => {
  const who = await register(running.application, '甲');
  await running.shown();
  const joined = {
    type: 'MemberJoined',
    data: { gid: gid(7), uid: uid(1), noticeMid: mid(900_000) },
  } as const;
  const position = await leave('group-7', encode(newEventId(), joined, metadata));
  await vi.waitUntil(() => running.projector.status().fault !== undefined);
  const account = { username: 'newcomer', nickname: '乙', password: 'secret-1' };
  expect(await call('/user/add', account)).toMatchObject({
    ...{ status: 503, code: 503 },
    msg: expect.stringContaining('数据无法跟上日志'),
  });
  expect(await call('/user/get', { uid: who })).toMatchObject({ status: 200, code: 0 });
  await skipEvent(running.application.log, position, 'a test');
  await vi.waitUntil(() => running.application.isReady(), { timeout: 10_000 });
  await leave('user-500', encode(newEventId(), registered(500, '丁'), metadata));
  await running.shown();
  expect(await call('/user/get', { uid: 500 })).toMatchObject({ code: 0 });
});
