import Pusher, { type Channel } from 'pusher-js';
import { ref } from 'vue';
import { applyPush } from './pushes.ts';
import { session } from './session.ts';

/** Whether the websocket is open. */
export const connected = ref(false);
/** Whether the gateway refused the websocket for good (too many are open): the page does not try again by itself. */
export const refused = ref(false);

/** A client that got nothing for this long asks whether the server is there, and reconnects if it is not. */
const activityTimeoutMs = 20_000;
const pongTimeoutMs = 6_000;

/** The position of the last push of each channel: where it goes on after a reconnect. */
const positions = new Map<string, string>();
let pusher: Pusher | undefined;

/**
 * Opens the websocket. It is opened again whenever it breaks, and every channel goes on at its last position.
 * @param address and key as `pop/getsetting` answers them
 */
export function connect(
  { ws_address, appkey }: { ws_address: string; appkey: string },
  on: { connected(): void; ended(): void },
): void {
  const { protocol, hostname, port, pathname } = new URL(ws_address);
  const secure = protocol === 'wss:' || protocol === 'https:';
  const opened = new Pusher(appkey, {
    ...{ cluster: '', wsHost: hostname, forceTLS: secure, enabledTransports: ['ws'] },
    ...(secure ? { wssPort: Number(port || 443) } : { wsPort: Number(port || 80) }),
    wsPath: pathname.replace(/\/$/, ''),
    ...{ activityTimeout: activityTimeoutMs, pongTimeout: pongTimeoutMs },
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => {
        authorize(socketId, channelName).then(
          (signature) => callback(null, signature),
          (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
        );
      },
    },
  });
  opened.connection.bind('state_change', ({ current }: { current: string }) => {
    connected.value = current === 'connected';
    refused.value = current === 'failed' || (current === 'disconnected' && !renewing);
    if (current === 'connected') {
      clearTimeout(renewal);
      renewals = 0;
      on.connected();
    } else if (refused.value) clearTimeout(renewal);
    else if (current === 'connecting' || current === 'unavailable') renewSoon(opened);
  });
  opened.connection.bind('error', ({ error }: { error?: { data?: { code?: number } } }) => {
    // 4009: the token has ended.
    if (error?.data?.code === 4009) on.ended();
  });
  pusher = opened;
}

/**
 * After a failure pusher-js waits 15 s to 60 s until it tries again. The page begins a new attempt sooner, and lets each
 * have twice the time of the one before, so that a slow network is not cut off for ever.
 */
const firstAttemptMs = 2_000;
const maxAttemptMs = 30_000;
let renewal: ReturnType<typeof setTimeout> | undefined;
let renewals = 0;
let renewing = false;

function renewSoon(opened: Pusher): void {
  clearTimeout(renewal);
  // Clients of a server that was away do not all come in the same moment.
  const afterMs = Math.min(firstAttemptMs * 2 ** renewals, maxAttemptMs) * (1 + Math.random() / 2);
  renewal = setTimeout(() => {
    renewals++;
    renewing = true;
    opened.disconnect();
    renewing = false;
    opened.connect();
  }, afterMs);
}

/** Tries again after a refusal. */
export function reconnect(): void {
  pusher?.connect();
}

/** How long after a failure of the network a signature is asked for again. */
const authorizeAgainAfterMs = 2_000;

/** Gets the signature of a subscription, which says from which position to resume. Tries for as long as the socket is open. */
async function authorize(socketId: string, channel: string): Promise<{ auth: string; channel_data: string }> {
  for (;;) {
    const since = positions.get(channel);
    const answer = await fetch('/pusher/auth', {
      method: 'POST',
      headers: { authorization: `Bearer ${session.value?.token}` },
      body: new URLSearchParams({
        ...{ socket_id: socketId, channel_name: channel },
        ...(since === undefined ? {} : { since }),
      }),
      credentials: 'omit',
    }).catch(() => undefined);
    if (answer?.ok) return answer.json();
    if (answer?.status === 403) throw new Error(`the subscription to ${channel} was refused`);
    await new Promise((resolve) => setTimeout(resolve, authorizeAgainAfterMs));
    if (pusher?.connection.socket_id !== socketId) throw new Error('the socket was closed');
  }
}

/** Subscribes to a channel of the log, from a position. Does nothing if the page is subscribed to it. */
export function follow(channel: string, since: string | undefined): void {
  if (!pusher || pusher.channel(channel)) return;
  if (since !== undefined) positions.set(channel, since);
  pusher.subscribe(channel).bind_global((event: string, data: unknown) => {
    if (event.startsWith('pusher')) return;
    const { position } = applyPush(event, data);
    if (position !== undefined) positions.set(channel, position);
  });
}

export function unfollow(channel: string): void {
  positions.delete(channel);
  pusher?.unsubscribe(channel);
}

/** Subscribes to a channel of client events (typing), which are not kept. */
export function join(channel: string): Channel | undefined {
  return pusher?.subscribe(channel);
}

export function leave(channel: string): void {
  pusher?.unsubscribe(channel);
}
