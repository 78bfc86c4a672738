import type { FastifyRequest } from 'fastify';
import type { Contract } from '../../contracts/http/contract.ts';
import { ReceivedFile } from '../../contracts/http/upload.ts';
import type { Settings } from '../../contracts/settings.ts';
import type { Application } from './application.ts';
import { mostBodyBytes } from './form.ts';
import { readFields, readUpload } from './multipart.ts';

/** What a request gives, by name, before any of it is checked. */
export interface Given {
  readonly given: Readonly<Record<string, unknown>>;
  /** Lets go of what came with it. */
  readonly release?: () => Promise<void>;
}

const bytesAMegabyte = 1024 * 1024;

/**
 * Gathers what a request gives: in its query, and in its body of whatever kind; a file only where the
 * contract wants one.
 * @throws Refusal illegal for a file elsewhere, tooLarge, unreadable
 */
export async function readGiven(
  request: FastifyRequest,
  { upload, mostBytes = mostBodyBytes }: Pick<Contract, 'upload' | 'mostBytes'>,
  { files }: Pick<Application, 'files'>,
  settings: Settings,
): Promise<Given> {
  const query = fields(request.query);
  if (request.method === 'GET') return { given: query };
  if (!request.isMultipart()) return { given: { ...query, ...fields(request.body) } };
  if (!upload) return { given: { ...query, ...(await readFields(request, mostBytes)) } };
  const megabytes = upload === 'image' ? settings.upload_img_mb : settings.upload_file_mb;
  const received = await readUpload(request, files.incoming, megabytes * bytesAMegabyte);
  const { file } = received;
  return {
    given: { ...query, ...received.fields, ...(file && { file }) },
    release: async () => {
      if (file instanceof ReceivedFile) await files.incoming.discard(file.place);
    },
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
