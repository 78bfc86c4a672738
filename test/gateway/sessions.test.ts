import { afterAll, describe, expect, test } from 'vitest';
import { Uid } from '../../contracts/ids.ts';
import { tokenHash } from '../../services/accounts/token-hash.ts';
import { authOf, userText } from '../../services/app-keys/signature.ts';
import { sessionsTopic } from '../../services/bus/topics.ts';
import { Client } from './client.ts';
import { app, Installation } from './harness.ts';

const installation = await Installation.open();
const { port } = await installation.start();
await installation.register(9);
await installation.register(10);
afterAll(() => installation.close());

const signedFor = (token: string) => ({ user_id: '9', session: tokenHash(token) });
const signIn = (client: Client, user: object) => {
  const user_data = JSON.stringify(user);
  client.send({
    event: 'pusher:signin',
    data: { auth: authOf(app, userText(client.id, user_data)), user_data },
  });
};

describe('a token that ends', () => {
  test('closes with 4009 the sockets that were opened with it, and no others', async () => {
    const [token, another] = [await installation.login(9), await installation.login(9)];
    const opened = await Client.connect(port, { token });
    const other = await Client.connect(port, { token: another });
    await installation.tokens.end(tokenHash(token));
    expect(await opened.ended()).toMatchObject({ code: 4009 });
    await other.caughtUp();
    await other.close();
  });

  test('closes the sockets whose subscription or sign-in was signed for it', async () => {
    const token = await installation.login(9);
    const subscribed = await Client.connect(port);
    subscribed.askSigned('private-user-9', signedFor(token));
    await subscribed.subscribed('private-user-9');
    const signedIn = await Client.connect(port);
    signIn(signedIn, { id: '9', session: tokenHash(token) });
    await signedIn.received('pusher:signin_success');
    await installation.tokens.end(tokenHash(token));
    expect(await subscribed.ended()).toMatchObject({ code: 4009 });
    expect(await signedIn.ended()).toMatchObject({ code: 4009 });
  });

  test('closes a socket that gets the tokens of two people at once', async () => {
    const [nine, ten] = [await installation.login(9), await installation.login(10)];
    const client = await Client.connect(port);
    client.askSigned('private-user-9', { user_id: '9', session: tokenHash(nine) });
    client.askSigned('private-user-10', { user_id: '10', session: tokenHash(ten) });
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });

  test('cannot be used to subscribe with an earlier signature', async () => {
    const token = await installation.login(9);
    await installation.tokens.end(tokenHash(token));
    const client = await Client.connect(port);
    client.askSigned('private-user-9', signedFor(token));
    expect(await client.ended()).toMatchObject({ code: 4009 });
    expect(client.frames.some(({ event }) => event === 'pusher_internal:subscription_succeeded')).toBe(false);
  });

  test('closes all sockets of a user whose tokens all end', async () => {
    const one = await Client.connect(port, { token: await installation.login(9) });
    const other = await Client.connect(port, { token: await installation.login(9) });
    const stranger = await Client.connect(port, { token: await installation.login(10) });
    await installation.tokens.endAll(Uid.parse(9));
    expect(await one.ended()).toMatchObject({ code: 4009 });
    expect(await other.ended()).toMatchObject({ code: 4009 });
    await stranger.caughtUp();
    await stranger.close();
  });

  test('is noticed if the bus lost the signal', async () => {
    const token = await installation.login(9);
    const client = await Client.connect(port, { token });
    await client.subscribe('global');
    await installation.pool.query('delete from accounts.tokens where hash = $1', [
      Buffer.from(tokenHash(token), 'hex'),
    ]);
    // A batch was missed, so a signal may have been missed as well.
    await installation.commitSilently([]);
    await installation.commit([]);
    expect(await client.ended()).toMatchObject({ code: 4009 });
  });
});

describe('signing in', () => {
  test('identifies the user on plain channels', async () => {
    const client = await Client.connect(port);
    signIn(client, { id: '9' });
    const { data } = await client.received('pusher:signin_success');
    expect(data).toEqual({ user_data: '{"id":"9"}' });
    await client.subscribe('user-9');
    client.ask('user-10');
    await client.refused('user-10');
    await client.close();
  });

  test('is refused with an invalid signature, and the connection stays', async () => {
    const client = await Client.connect(port);
    client.send({
      event: 'pusher:signin',
      data: { auth: `${app.key}:${'0'.repeat(64)}`, user_data: '{"id":"9"}' },
    });
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4009 } });
    client.ask('user-9');
    await client.refused('user-9');
    await client.close();
  });

  test("as another user than the token's is refused", async () => {
    const client = await Client.connect(port, { token: await installation.login(9) });
    signIn(client, { id: '10' });
    expect(await client.received('pusher:error')).toMatchObject({ data: { code: 4009 } });
    client.askSigned('private-user-10', { user_id: '10' });
    await client.refused('private-user-10');
    await client.close();
  });
});

test('connections can be closed while their tokens stay valid', async () => {
  const token = await installation.login(9);
  const client = await Client.connect(port, { token });
  installation.bus.signal(sessionsTopic, { kind: 'connections ended', userId: '9' });
  expect(await client.ended()).toMatchObject({ code: 4009 });
  const again = await Client.connect(port, { token });
  await again.close();
});
