import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal } from '../../../contracts/codes.ts';
import { categories } from '../../../contracts/events/index.ts';
import { eventFilters } from '../../../contracts/http/audit-events.ts';
import { readParameters } from '../../../contracts/http/contract.ts';
import { type EventFilter, matches, prefixesOf } from '../../audit/events/filter.ts';
import { readGently } from '../../audit/read-gently.ts';
import { TreeStore } from '../../audit/tree/tree-store.ts';
import { isAsItWas } from '../../audit/tree/verified.ts';
import { verifiedInWords } from '../../audit/tree/verified-words.ts';
import { verifyLog } from '../../audit/tree/verify-log.ts';
import { cachedSettings } from '../../commands/setting.ts';
import type { EventLog, SubscribeOptions } from '../../log/log.ts';
import type { Application } from '../application.ts';
import { contextOf } from '../request-context.ts';
import { mustKnowAll } from '../route.ts';
import { shownRecord, whatOf } from './events.ts';
import { growingAnswers, type WriteLine } from './lines.ts';
import { serverKeyOnly } from './server-key.ts';
import { auditUseOf } from './use.ts';

const Given = z.record(z.string(), z.unknown());

const none = z.object({});

/**
 * Answers that grow, as lines of JSON, for the server's key (docs/operations.md, The console): new events as they are
 * stored, and the verification of the log with its progress.
 */
export function liveAuditRoutes(server: FastifyInstance, application: Application): void {
  const { access, app, log, logger, now, store } = application;
  const send = growingAnswers(server, (error) => logger.warn({ err: error }, 'a growing answer broke off'));
  const options = { config: { counts: 'light' } as const, onRequest: serverKeyOnly(application) };

  /** Records who asks about the past, as calls do. */
  const record = (request: FastifyRequest, path: `/${string}`, given: Readonly<Record<string, unknown>>) => {
    const origin = contextOf(request, { kind: 'server' }, undefined, app, cachedSettings(store));
    const audit = auditUseOf({ path }, given);
    if (audit) access.record(audit, { ...origin, time: now(), generation: log.generation });
  };

  server.get('/audit/live', options, async (request, reply) => {
    const given = Given.parse(request.query);
    mustKnowAll({ path: '/audit/live', access: 'server', parameters: eventFilters }, given);
    const parameters = readParameters(eventFilters, given, true);
    record(request, '/audit/live', parameters);
    const after = await log.end();
    return send(reply, async (write, signal) => {
      await write({ after });
      await follow(log, whatOf(parameters), { after, signal }, write);
    });
  });

  let verifying = false;
  server.get('/audit/verify', options, async (request, reply) => {
    mustKnowAll({ path: '/audit/verify', access: 'server', parameters: none }, Given.parse(request.query));
    if (verifying) throw new Refusal('tooMany');
    record(request, '/audit/verify', {});
    return send(reply, async (write, signal) => {
      verifying = true;
      try {
        await verify(application, write, signal);
      } finally {
        verifying = false;
      }
    });
  });
}

/** Writes each new event that is asked for, as soon as it is stored. */
async function follow(
  log: EventLog,
  filter: EventFilter,
  options: SubscribeOptions,
  write: WriteLine,
): Promise<void> {
  const prefixes = prefixesOf(filter) ?? categories;
  for await (const records of log.subscribe({ ...options, prefixes })) {
    for (const record of records) if (matches(filter, record)) await write(shownRecord(record));
  }
}

/** How often the progress of a verification is written. */
const progressMs = 500;

/** Verifies the log, and writes how far it is: `{read, total}`; at the end `{same, words}`. */
async function verify(
  {
    log,
    pool,
    auditOrigin,
    auditVerifier,
  }: Pick<Application, 'log' | 'pool' | 'auditOrigin' | 'auditVerifier'>,
  write: WriteLine,
  signal: AbortSignal,
): Promise<void> {
  const verifier = await auditVerifier();
  const total = await new TreeStore(pool).size();
  let read = 0;
  await write({ read, total });
  const timer = setInterval(() => void write({ read, total }).catch(() => undefined), progressMs);
  try {
    const verified = await verifyLog({
      log: readGently(log, signal),
      database: pool,
      origin: verifier?.name ?? auditOrigin,
      verifier,
      onRead: (events) => {
        read += events;
      },
      signal,
    });
    await write({ same: isAsItWas(verified), words: verifiedInWords(verified) });
  } finally {
    clearInterval(timer);
  }
}
