import { Refusal } from '../../../contracts/codes.ts';
import { type Contract, readParameters } from '../../../contracts/http/contract.ts';
import type { Uid } from '../../../contracts/ids.ts';
import { authorize } from '../caller.ts';

/** What a query asks about, as the API itself reads it. */
export interface ReadQuery {
  readonly path: string;
  /** The person for whom it is asked. */
  readonly me: Uid | undefined;
  /** As the contract reads them. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Reads the parameters of a query that the holder of the server's key makes.
 * @returns undefined if the API refuses them
 */
export function readQuery(
  { path, access, parameters }: Contract,
  given: Readonly<Record<string, unknown>>,
): ReadQuery | undefined {
  try {
    return {
      path,
      me: authorize({ kind: 'server' }, access, given),
      parameters: readParameters(parameters, given),
    };
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
