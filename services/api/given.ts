import type { FastifyRequest } from 'fastify';
import type { Contract } from '../../contracts/http/contract.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Application } from './application.ts';
import type { Caller } from './caller.ts';
import { maxBodyBytes } from './form.ts';
import { readFields } from './multipart.ts';
import { receiveUpload } from './receive-upload.ts';

/** What a request gives, by name, before any of it is checked. */
export interface Given {
  readonly given: Readonly<Record<string, unknown>>;
  /** Lets go of what came with it. */
  readonly release?: () => Promise<void>;
}

/**
 * Gathers what a request gives: in its query, and in its body of whatever kind; a file only where the
 * contract wants one.
 * @throws Refusal illegal for a file elsewhere, unreadable; what `receiveUpload` throws
 */
export async function readGiven(
  request: FastifyRequest,
  { upload, maxBytes = maxBodyBytes }: Pick<Contract, 'upload' | 'maxBytes'>,
  application: Pick<Application, 'files' | 'uploads'>,
  settings: Settings,
  caller: Caller,
): Promise<Given> {
  const query = fields(request.query);
  if (request.method === 'GET') return { given: query };
  if (!request.isMultipart()) return { given: { ...query, ...fields(request.body) } };
  if (!upload) return { given: { ...query, ...(await readFields(request, maxBytes)) } };
  const received = await receiveUpload(request, upload, application, settings, caller);
  const { file, release } = received;
  return { given: { ...query, ...received.fields, ...(file && { file }) }, release };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
