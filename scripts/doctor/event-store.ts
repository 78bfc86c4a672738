import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { reasonOf } from '../../services/error-reason.ts';
import { type NamedServers, serversOf } from '../../services/log/eventstoredb/connection.ts';
import { examineCertificate } from './certificate.ts';
import { compareClock } from './clock.ts';
import { type Finding, findings } from './finding.ts';

const { ok, warning, fault } = findings('log');

const timeoutMs = 3_000;
/** Headers of HTTP name whole seconds. */
const dateAccuracyMs = 1_000;

/** What EventStoreDB says of itself over HTTP. */
const Info = z.object({ esVersion: z.string(), state: z.string().optional() });

/** Whether each server of EVENTSTORE_URL answers, until when its certificate is valid, and whether its clock is ours. */
export async function examineEventStore(url: string): Promise<Finding[]> {
  let servers: NamedServers;
  try {
    servers = serversOf(url);
  } catch (error) {
    return [fault(`EVENTSTORE_URL cannot be read: ${reasonOf(error)}`, 'correct it')];
  }
  const found = await Promise.all(servers.hosts.map((host) => examineHost(host, servers)));
  return found.flat();
}

async function examineHost(
  { address: host, port }: NamedServers['hosts'][number],
  { tls, authorityFile, hosts }: NamedServers,
): Promise<Finding[]> {
  const name = `EventStoreDB at ${host}:${port}`;
  const certificate = tls ? [await examineCertificate({ name, host, port })] : [];
  const began = performance.now();
  try {
    const answer = await info(host, port, tls, authorityFile);
    const tripMs = performance.now() - began;
    const { esVersion, state } = Info.parse(await json(answer));
    const clock = compareClock(
      name,
      Date.now() - Date.parse(answer.headers.date ?? ''),
      dateAccuracyMs + tripMs,
    );
    const role = state === undefined ? '' : `, ${state.toLowerCase()}`;
    return [ok(`${name}, version ${esVersion}${role}`), ...certificate, clock];
  } catch (error) {
    const found = `${name} does not answer: ${reasonOf(error)}`;
    // Of several servers the others do its work.
    const judge = hosts.length > 1 ? warning : fault;
    return [judge(found, 'start it, or correct EVENTSTORE_URL'), ...certificate];
  }
}

async function info(
  host: string,
  port: number,
  tls: boolean,
  authorityFile: string | undefined,
): Promise<IncomingMessage> {
  const where = { host, port, path: '/info', signal: AbortSignal.timeout(timeoutMs), agent: false } as const;
  const authority = authorityFile === undefined ? {} : { ca: readFileSync(authorityFile) };
  const asking = tls ? requestOverTls({ ...where, ...authority }) : requestPlainly(where);
  const answered = Promise.withResolvers<IncomingMessage>();
  asking.once('response', answered.resolve);
  asking.once('error', answered.reject);
  asking.end();
  return answered.promise;
}
