/** The topics of `Bus.signal`. */

/** The signals `token ended` and `user ended`. Every gateway listens. */
export const sessionsTopic = 'sessions';

/** Questions of one gateway to all. */
export const gatewaysTopic = 'gateways';

/** Where one gateway receives the answers to its questions. */
export function gatewayTopic(gateway: string): string {
  return `gateway-${gateway}`;
}

/** Events that are triggered for a channel; the gateways with a socket on it listen. */
export function channelTopic(channel: string): string {
  return `channel-${channel}`;
}
