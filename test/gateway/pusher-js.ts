import * as library from 'pusher-js';

/** pusher-js. Its types declare a `default` inside the one that it exports. */
export const PusherClient: typeof library.default.default = Reflect.get(library, 'module.exports');

/** Options to connect to a program on this machine, with channels and user signed for a token. */
export function pusherOptions(port: number, token: string) {
  const signing = (endpoint: string) => ({
    transport: 'ajax' as const,
    endpoint: `http://127.0.0.1:${port}${endpoint}`,
    headers: { authorization: `Bearer ${token}` },
  });
  return {
    cluster: '',
    wsHost: '127.0.0.1',
    wsPort: port,
    forceTLS: false,
    enabledTransports: ['ws' as const],
    channelAuthorization: signing('/pusher/auth'),
    userAuthentication: signing('/pusher/user-auth'),
  };
}
