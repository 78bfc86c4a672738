import {
  asJson,
  ClientFrame,
  maxClientEventBytes,
  pongFrame,
  pushCodes,
  readSentJson,
  Signin,
  sentObject,
  Unsubscribe,
} from '../../../contracts/push/protocol.ts';
import type { App } from '../../app-keys/signature.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Connection } from '../connections/connection.ts';
import type { Limits } from '../connections/limits.ts';
import { acceptsClientEvents, chatOf, isPresence, topicOf } from '../subscriptions/channel.ts';
import type { ChatRights } from '../subscriptions/chat-rights.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import type { UnexpectedFailures } from '../unexpected.ts';
import { ClientEventLimit } from './client-events.ts';
import type { Identities } from './identities.ts';
import { readSignin } from './signin.ts';
import type { Subscriber } from './subscriber.ts';

/** Carries out the frames of clients. */
export class Dispatch {
  readonly #app: App;
  readonly #bus: Bus;
  readonly #subscriber: Subscriber;
  readonly #identities: Identities;
  readonly #rights: ChatRights;
  readonly #clientEventLimit: ClientEventLimit;
  readonly #unexpected: UnexpectedFailures;

  constructor(options: {
    app: App;
    bus: Bus;
    subscriber: Subscriber;
    identities: Identities;
    rights: ChatRights;
    limits: Limits;
    unexpected: UnexpectedFailures;
  }) {
    this.#app = options.app;
    this.#bus = options.bus;
    this.#subscriber = options.subscriber;
    this.#identities = options.identities;
    this.#rights = options.rights;
    this.#clientEventLimit = new ClientEventLimit(options.limits);
    this.#unexpected = options.unexpected;
  }

  /** Carries out one frame. Never throws; a frame that cannot be read is answered by an error frame. */
  receive(connection: Connection, text: Buffer): void {
    if (!connection.countFrame(text.length)) return;
    const frame = ClientFrame.safeParse(readSentJson(text.toString())).data;
    if (frame === undefined) {
      connection.error(pushCodes.unreadable, 'a frame is a JSON object with an event');
      return;
    }
    switch (frame.event) {
      case 'pusher:ping':
        connection.sendText(pongFrame);
        break;
      case 'pusher:pong':
        break;
      case 'pusher:subscribe':
        void this.#subscriber.subscribe(connection, readData(frame.data));
        break;
      case 'pusher:unsubscribe':
        this.#unsubscribe(connection, frame.data);
        break;
      case 'pusher:signin':
        void this.#signIn(connection, frame.data);
        break;
      default:
        if (frame.event.startsWith('client-')) this.#clientEvent(connection, frame);
        else connection.error(pushCodes.unreadable, 'no such event');
    }
  }

  #unsubscribe(connection: Connection, data: unknown): void {
    const request = Unsubscribe.safeParse(readData(data)).data;
    if (request === undefined) connection.error(pushCodes.unreadable, 'pusher:unsubscribe lacks a channel');
    else this.#subscriber.unsubscribe(connection, request.channel);
  }

  async #signIn(connection: Connection, data: unknown): Promise<void> {
    const request = Signin.safeParse(readData(data)).data;
    const user = request && readSignin(this.#app, connection.id, request);
    if (request === undefined || user === undefined) {
      connection.error(pushCodes.tokenEnded, 'signing in was refused: the signature is not right');
      return;
    }
    if (connection.userId !== undefined && connection.userId !== user.id) {
      connection.error(pushCodes.tokenEnded, "signing in was refused: the connection is another user's");
      return;
    }
    try {
      if (user.session !== undefined && !(await this.#identities.addToken(connection, user.session))) return;
    } catch (error) {
      this.#unexpected.note(error);
      connection.close(pushCodes.overCapacity, 'not ready: come again');
      return;
    }
    if (!this.#identities.identify(connection, user.id)) return;
    const answer = JSON.stringify({ user_data: request.user_data });
    connection.send('pusher:signin_success', undefined, answer);
  }

  #clientEvent(connection: Connection, { event, channel, data }: ClientFrame): void {
    const subscription = typeof channel === 'string' ? connection.subscriptions.get(channel) : undefined;
    const active = subscription?.state === 'live' || subscription?.state === 'settling';
    if (subscription === undefined || !active || !acceptsClientEvents(subscription.channel.name)) {
      refuseEvent(connection, 'only who is on a private or presence channel may send events to it');
    } else if (subscription.channel.kind === 'audit' || subscription.channel.kind === 'announcements') {
      refuseEvent(connection, 'the channel is only listened to');
    } else {
      // A longer text is not parsed, which would take 30 ms for 100 KB.
      const text = typeof data === 'string' && data.length > maxClientEventBytes ? data : asJson(data);
      const bytes = Buffer.byteLength(text);
      if (bytes > maxClientEventBytes) refuseEvent(connection, 'the data is too long');
      else if (!this.#clientEventLimit.allows(connection, bytes))
        refuseEvent(connection, 'too many client events');
      else void this.#trigger(connection, subscription, event, text);
    }
  }

  /**
   * Sends a client event to the others on the channel, if its user may send messages there now (docs/realtime.md,
   * "Client events").
   */
  async #trigger(
    connection: Connection,
    { channel, user }: Subscription,
    event: string,
    data: string,
  ): Promise<void> {
    const { uid } = connection;
    try {
      if (uid !== undefined && !(await this.#rights.of(chatOf(channel, uid) ?? { uid })).speak) {
        refuseEvent(connection, 'its sender is muted or disabled, or may not chat here');
        return;
      }
    } catch (error) {
      this.#unexpected.note(error);
      refuseEvent(connection, 'not ready: try again');
      return;
    }
    this.#bus.signal(topicOf(channel), {
      kind: 'ephemeral',
      channel: channel.name,
      ...{ event, data },
      exceptSocket: connection.id,
      ...(isPresence(channel) && user !== undefined ? { userId: user.userId } : {}),
    });
  }
}

function refuseEvent(connection: Connection, reason: string): void {
  connection.error(pushCodes.clientEventRefused, reason);
}

/** Some clients send the data of the protocol's own events as JSON in a text. */
function readData(data: unknown): unknown {
  return sentObject(data) ?? data;
}
