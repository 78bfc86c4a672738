import PusherServer from 'pusher';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { defaultSettings } from '../../contracts/settings.ts';
import { inOneSecond } from '../support/in-one-second.ts';
import { asServer, bearer } from './auth-calls.ts';
import { app, Installation, strangeToken } from './harness.ts';

const installation = await Installation.open();
const token = await installation.register(9);
afterAll(() => installation.close());

describe('requests a second', () => {
  let settings = { limit_address: 1, limit_token: 5 };
  const limited = installation.start({}, installation.bus, {
    settings: () => ({ ...defaultSettings, ...settings }),
  });
  afterEach(() => {
    settings = { limit_address: 1, limit_token: 5 };
  });

  async function ask(path: string, init: RequestInit = {}) {
    const answer = await fetch(`http://127.0.0.1:${(await limited).port}${path}`, init);
    await answer.text();
    return answer.status;
  }
  const sign = (headers: Record<string, string>, body = 'socket_id=1.2&channel_name=private-user-9') =>
    ask('/pusher/auth', {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });

  test('for signatures are limited to ten times those for calls, for an address without a valid token', async () => {
    const answers = await inOneSecond(() => [
      ...Array.from({ length: 5 }, () => sign({})),
      ...Array.from({ length: 3 }, () => sign(bearer(strangeToken()))),
      ...Array.from({ length: 2 }, () => sign({ ...asServer, 'x-app-secret': 'wrong' })),
    ]);
    expect(answers).toEqual(Array(10).fill(403));
    const more = await inOneSecond(() => Array.from({ length: 11 }, () => sign({})));
    expect(more.sort()).toEqual([...Array(10).fill(403), 429]);
  });

  test('for signatures count for the token, if a header or the query has a valid one', async () => {
    const answers = await inOneSecond(() => Array.from({ length: 6 }, () => sign(bearer(token))));
    expect(answers.sort()).toEqual([...Array(5).fill(200), 429]);
    settings = { limit_address: 1, limit_token: 1 };
    const body = `socket_id=1.2&channel_name=private-user-9&token=${token}`;
    const inBody = await inOneSecond(() => Array.from({ length: 11 }, () => sign({}, body)));
    expect(inBody.sort()).toEqual([...Array(10).fill(200), 429]);
  });

  test('with the server’s key or a valid signature are not limited', async () => {
    const asked = 'socket_id=1.2&channel_name=private-audit';
    const answers = await inOneSecond(() => Array.from({ length: 20 }, () => sign(asServer, asked)));
    expect(new Set(answers)).toEqual(new Set([200]));
    const port = String((await limited).port);
    const server = new PusherServer({ appId: app.id, ...app, host: '127.0.0.1', port, useTLS: false });
    const triggered = await inOneSecond(() =>
      Array.from({ length: 5 }, async () => (await server.trigger('news', 'event', {})).status),
    );
    expect(triggered).toEqual(Array(5).fill(200));
  });

  test('with an invalid signature count for their address', async () => {
    const send = () => ask(`/apps/${app.id}/events?auth_key=${app.key}`, { method: 'POST', body: 'x' });
    expect((await inOneSecond(() => [send(), send()])).sort()).toEqual([401, 429]);
  });
});
