import type { PastQueryParts } from '../../services/api/past/query.ts';
import { silent } from './accounts.ts';
import { testApp } from './application.ts';

/**
 * What a query about a moment is answered with, which may take a minute.
 * @param from the log and the present database
 * @param given what is to be otherwise: read models are not kept, and the log is read beside the present ones
 */
export function pastParts(
  { log, pool }: Pick<PastQueryParts, 'log' | 'pool'>,
  given: Partial<PastQueryParts> = {},
): PastQueryParts {
  return {
    ...{ app: testApp, log, pool, logger: silent, host: 'localhost:80', protocol: 'http' },
    ...{ keep: false, fromLog: false, signal: AbortSignal.timeout(60_000), onNoIndex: () => undefined },
    ...given,
  };
}
