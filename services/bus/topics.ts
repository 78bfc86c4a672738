/** The topics of `Bus.signal`, once: who speaks and who listens name them alike. */

/** Ended tokens and users: `token ended`, `user ended`. Every gateway listens. */
export const sessionsTopic = 'sessions';

/** Questions of one gateway to all. */
export const gatewaysTopic = 'gateways';

/** Where one gateway hears the answers to its questions. */
export function gatewayTopic(gateway: string): string {
  return `gateway-${gateway}`;
}

/** What is triggered for a channel; heard by the gateways with a socket on it. */
export function channelTopic(channel: string): string {
  return `channel-${channel}`;
}
