import { once } from 'node:events';
import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { type Finding, findings } from './finding.ts';

const { ok, fault } = findings('proxy');

/** A proxy that refuses a body by its length does so at once; one that takes it waits for it. */
const answerTimeoutMs = 1_000;

/** MB as the program counts them, and what a form adds to a file. */
const bytesInMb = 1_048_576;
const bytesOfForm = 1_000;

/**
 * Whether the proxy takes uploads of the size that the program takes. Their length is announced, and nothing is sent.
 * @param maxMb the setting `upload_file_mb`
 */
export async function examineUploadSize(publicUrl: URL, maxMb: number): Promise<Finding> {
  const request = publicUrl.protocol === 'https:' ? requestOverTls : requestPlainly;
  const asking = request(new URL('/api/upload/file', publicUrl), {
    method: 'POST',
    headers: {
      'content-type': 'multipart/form-data; boundary=doctor',
      'content-length': maxMb * bytesInMb + bytesOfForm,
    },
    agent: false,
  });
  try {
    asking.flushHeaders();
    const [answer]: IncomingMessage[] = await once(asking, 'response', {
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    if (answer?.statusCode === 413) {
      return fault(
        `it refuses a body of ${maxMb} MB (413), which the setting upload_file_mb allows`,
        'raise client_max_body_size, or what your proxy calls it (docs/operations.md, A configuration for nginx)',
      );
    }
  } catch {
    // It waits for the body, or ended the connection: calls that arrive are a finding of their own.
  } finally {
    asking.on('error', () => undefined);
    asking.destroy();
  }
  return ok(`it takes uploads of ${maxMb} MB`);
}
