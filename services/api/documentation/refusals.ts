import { type CodeName, codeNames, codes, statusOf } from '../../../contracts/codes.ts';
import { type Contract, refusalsOf } from '../../../contracts/http/contract.ts';
import { refusedFor } from '../../../contracts/http/envelope.ts';
import { refusalEnvelope } from '../envelope.ts';
import type { Schemas, Shape } from './schemas.ts';

/** The refusals with a status of their own that any call may answer: all but those of paths that are no call's. */
const withStatus = codeNames.filter(
  (reason) => statusOf(reason) !== 200 && reason !== 'noRoute' && reason !== 'wrongMethod',
);

/** The responses of refusals with a status of their own, for `components.responses`. */
export function refusalResponses(schemas: Schemas): Shape {
  return Object.fromEntries(
    withStatus.map((reason) => [
      reason,
      {
        description: codes[reason].msg,
        content: {
          'application/json': {
            schema: schemas.shapeOf(refusedFor([reason]), 'output'),
            example: refusalEnvelope(reason),
          },
        },
      },
    ]),
  );
}

/** References to them, by their statuses: by default to all. */
export function refusalsByStatus(reasons: readonly CodeName[] = withStatus): Shape {
  return Object.fromEntries(
    reasons.map((reason) => [statusOf(reason), { $ref: `#/components/responses/${reason}` }]),
  );
}

/** The refusals of a call with the status 200: their schema, an example of each, and all in words. */
export function refusalsInEnvelope(
  contract: Contract,
  schemas: Schemas,
): { schema: Shape; examples: Shape; words: string[] } {
  const reasons = refusalsOf(contract);
  const examples = reasons.map((reason) => {
    const { code, msg } = codes[reason];
    return [`${code} ${reason}`, { summary: `${code} ${msg}`, value: refusalEnvelope(reason) }];
  });
  return {
    schema: schemas.shapeOf(refusedFor(reasons), 'output'),
    examples: Object.fromEntries(examples),
    words: reasons.map((reason) => `${codes[reason].code} ${codes[reason].msg}`),
  };
}
