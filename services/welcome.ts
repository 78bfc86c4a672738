import { isIPv6 } from 'node:net';
import type { AppKeys } from './app-keys/app-keys.ts';
import type { Environment } from './environment.ts';

/**
 * The text for the person who starts the program: its addresses, and the servers it uses.
 * @param address `http://address:port`, where it listens
 */
export function welcome(
  environment: Environment,
  { address, appKeys, dataFolder }: { address: string; appKeys: AppKeys; dataFolder: string },
): string {
  const { hostname, port } = new URL(address);
  const socket = `ws://${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}/app/${appKeys.key}`;
  return `
bubble-im runs.

  pages      ${address}/
  API        ${address}/api
  docs       ${address}/docs
  websocket  ${socket}
  app key    ${appKeys.key}
  secret     ${appKeys.file ?? 'APP_SECRET of the environment'}
  data       ${dataFolder}
  log        ${serverOf('EventStoreDB', environment.eventStoreUrl) ?? 'in the database'}
  database   ${serverOf('Postgres', environment.databaseUrl) ?? 'the embedded Postgres'}
  bus        ${serverOf('NATS', environment.natsUrl) ?? 'in memory, for this process alone'}
  SMS        ${smsOf(environment)}

Begin with

  curl ${address}/api/pop/getsetting

`;
}

/** A server of the environment, without the credentials that its URL may hold. */
function serverOf(kind: string, url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  // A list of hosts is not a valid URL.
  return URL.canParse(url) ? `${kind} at ${new URL(url).host}` : `${kind}, several hosts`;
}

function smsOf({ aliyunSms }: Environment): string {
  if (aliyunSms !== undefined) return 'sent by Aliyun';
  return "none is sent; GET /dev/sms?phone=… with the server's key shows them";
}
