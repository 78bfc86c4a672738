import { once } from 'node:events';
import Echo from 'laravel-echo';
import { afterAll, describe, expect, test } from 'vitest';
import { app, Installation } from './harness.ts';
import { PusherClient, pusherOptions } from './pusher-js.ts';
import { WebmanPush } from './webman-push.ts';

const installation = await Installation.open();
const gateway = await installation.start();
const token = await installation.register(9, 'Anne');
const anotherToken = await installation.register(10, 'Bert');
await installation.createGroup(50, [9, 10]);
afterAll(() => installation.close());

const http = `http://127.0.0.1:${gateway.port}`;
const options = (bearer: string) => pusherOptions(gateway.port, bearer);

/** Resolves to the data of the next event of this name. */
function next(channel: { bind(event: string, listener: (data: unknown) => void): unknown }, event: string) {
  return new Promise<unknown>((resolve, reject) => {
    channel.bind(event, resolve);
    channel.bind('pusher:subscription_error', (error) => reject(new Error(JSON.stringify(error))));
  });
}

const message = (channel: string, content: string) =>
  installation.commit([{ channel, event: 'message', data: { content } }]);

describe('pusher-js', () => {
  test("gets the events of its user's private channel, authorised at our endpoint", async () => {
    const pusher = new PusherClient(app.key, options(token));
    const channel = pusher.subscribe('private-user-9');
    await next(channel, 'pusher:subscription_succeeded');
    const received = next(channel, 'message');
    await message('user-9', 'hello');
    expect(await received).toMatchObject({ content: 'hello', position: expect.any(String) });
    pusher.disconnect();
  });

  test('resumes from the position that it names to the auth endpoint', async () => {
    const seen = await message('user-9', 'seen');
    await message('user-9', 'missed');
    const { channelAuthorization, ...more } = options(token);
    const params = { since: seen.positions[0] ?? '' };
    const pusher = new PusherClient(app.key, {
      ...more,
      channelAuthorization: { ...channelAuthorization, params },
    });
    const received: unknown[] = [];
    const channel = pusher.subscribe('private-user-9');
    channel.bind('message', (data: unknown) => received.push(data));
    await expect.poll(() => received).toMatchObject([{ content: 'missed' }]);
    await message('user-9', 'live');
    await expect.poll(() => received).toMatchObject([{ content: 'missed' }, { content: 'live' }]);
    pusher.disconnect();
  });

  test("gets an error for a channel that is not its user's", async () => {
    const pusher = new PusherClient(app.key, options(token));
    const refused = next(pusher.subscribe('private-user-10'), 'pusher:subscription_succeeded');
    await expect(refused).rejects.toThrow('403');
    pusher.disconnect();
  });

  test('signs in, then gets the events of plain channels', async () => {
    const pusher = new PusherClient(app.key, options(token));
    pusher.signin();
    await new Promise((resolve) => pusher.bind('pusher:signin_success', resolve));
    const channel = pusher.subscribe('user-9');
    await next(channel, 'pusher:subscription_succeeded');
    const received = next(channel, 'message');
    await message('user-9', 'plain');
    expect(await received).toMatchObject({ content: 'plain' });
    pusher.disconnect();
  });

  test("sees who is on a group's presence channel, and their typing", async () => {
    const [anne, bert] = [
      new PusherClient(app.key, options(token)),
      new PusherClient(app.key, options(anotherToken)),
    ];
    const anneThere = anne.subscribe('presence-group-50');
    await next(anneThere, 'pusher:subscription_succeeded');
    const bertComes = next(anneThere, 'pusher:member_added');
    const bertThere = bert.subscribe('presence-group-50');
    expect(await next(bertThere, 'pusher:subscription_succeeded')).toMatchObject({ count: 2, myID: '10' });
    expect(await bertComes).toEqual({ id: '10', info: { uid: 10, nickname: 'Bert', avatar: '/a.jpg' } });
    const typing = next(anneThere, 'client-typing');
    bertThere.trigger('client-typing', { on: true });
    expect(await typing).toEqual({ on: true });
    const bertGoes = next(anneThere, 'pusher:member_removed');
    bert.disconnect();
    expect(await bertGoes).toMatchObject({ id: '10' });
    anne.disconnect();
  });

  test('reconnects by itself to a gateway that restarts, and subscribes again', async () => {
    const restarting = await installation.start();
    const pusher = new PusherClient(app.key, pusherOptions(restarting.port, token));
    const channel = pusher.subscribe('private-user-9');
    await next(channel, 'pusher:subscription_succeeded');
    const again = new Promise((resolve) => {
      channel.unbind('pusher:subscription_succeeded');
      channel.bind('pusher:subscription_succeeded', resolve);
    });
    await restarting.replace();
    await again;
    const received = next(channel, 'message');
    await message('user-9', 'after the restart');
    expect(await received).toMatchObject({ content: 'after the restart' });
    pusher.disconnect();
  });
});

test('laravel-echo gets the events of private and presence channels', async () => {
  const echo = new Echo({
    broadcaster: 'pusher',
    client: new PusherClient(app.key, options(token)),
  });
  const here = new Promise<unknown>((resolve) => {
    echo.join('group-50').here(resolve);
  });
  expect(await here).toEqual([{ uid: 9, nickname: 'Anne', avatar: '/a.jpg' }]);
  const channel = echo.private('user-9');
  await new Promise<void>((resolve) => channel.subscribed(resolve));
  const received = new Promise<unknown>((resolve) => channel.listen('.message', resolve));
  await message('user-9', 'to echo');
  expect(await received).toMatchObject({ content: 'to echo' });
  echo.disconnect();
});

test("webman's push client gets the events of its private channel, under any path", async () => {
  const push = new WebmanPush(
    {
      url: `ws://127.0.0.1:${gateway.port}/some/where`,
      app_key: app.key,
      auth: `${http}/plugin/webman/push/auth?token=${token}`,
    },
    ['private-user-9', 'global'],
  );
  await Promise.all([
    once(push, 'private-user-9 pusher_internal:subscription_succeeded'),
    once(push, 'global pusher_internal:subscription_succeeded'),
  ]);
  const received = once(push, 'private-user-9 message');
  await message('user-9', 'to webman');
  expect(await received).toMatchObject([{ content: 'to webman' }]);
  push.socket.close();
  await once(push.socket, 'close');
});
