import { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';

/** A client like webman's push.js: it appends /app/KEY, and authorises by a form. */
export class WebmanPush extends EventEmitter {
  readonly socket: WebSocket;
  #socketId = '';

  constructor(config: { url: string; app_key: string; auth: string }, channels: readonly string[]) {
    super();
    this.socket = new WebSocket(`${config.url}/app/${config.app_key}`);
    this.socket.on('message', async (text) => {
      const params = JSON.parse(String(text));
      if (params.event === 'pusher:pong') return;
      const data = JSON.parse(params.data);
      if (params.event === 'pusher:connection_established') {
        this.#socketId = data.socket_id;
        for (const channel of channels) await this.#subscribe(config.auth, channel);
      } else {
        this.emit(`${params.channel} ${params.event}`, data);
      }
    });
  }

  async #subscribe(auth: string, channel: string): Promise<void> {
    let data = {};
    if (channel.startsWith('private-') || channel.startsWith('presence-')) {
      const body = new URLSearchParams({ channel_name: channel, socket_id: this.#socketId });
      data = JSON.parse(await (await fetch(auth, { method: 'POST', body })).text());
    }
    this.socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { ...data, channel } }));
  }
}
