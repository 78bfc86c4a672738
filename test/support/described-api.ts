import { apiPrefixes, prefixesOf } from '../../contracts/http/contract.ts';
import { describeApi } from '../../services/api/documentation/openapi.ts';
import type { Shape } from '../../services/api/documentation/schemas.ts';
import { servedContracts } from './contracts.ts';

/** The document of all calls, as `/openapi.json` serves it while the development inbox is in use. */
export function describedApi(): Shape {
  const served = servedContracts().map((contract) => ({
    contract,
    prefixed: prefixesOf(contract).some((prefix) => prefix !== ''),
  }));
  return describeApi(served, apiPrefixes);
}
