import type { FastifyRequest } from 'fastify';
import type { Contract } from '../../contracts/http/contract.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Application } from './application.ts';
import type { Caller } from './caller.ts';
import { maxBytesOf } from './form.ts';
import { isMultipart, readFields } from './multipart.ts';
import { receiveUpload } from './receive-upload.ts';

/** The parameters of a request by name, unchecked. */
export interface Given {
  readonly given: Readonly<Record<string, unknown>>;
  /** Removes the file that came with it, unless it was stored. */
  readonly release?: () => Promise<void>;
}

/**
 * Reads the parameters of a request: of its query, and of its body of any type; a file only if the contract has one.
 * @throws Refusal illegal for a file without that, unreadable; what `receiveUpload` throws
 */
export async function readGiven(
  request: FastifyRequest,
  contract: Pick<Contract, 'access' | 'upload' | 'maxBytes'>,
  application: Pick<Application, 'files' | 'uploads'>,
  settings: Settings,
  caller: Caller,
): Promise<Given> {
  const query = fields(request.query);
  if (request.method === 'GET') return { given: query };
  if (!isMultipart(request)) return { given: { ...query, ...fields(request.body) } };
  const { upload } = contract;
  if (!upload) return { given: { ...query, ...(await readFields(request, maxBytesOf(contract))) } };
  const received = await receiveUpload(request, upload, application, settings, caller);
  const { file, release } = received;
  return { given: { ...query, ...received.fields, ...(file && { file }) }, release };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
