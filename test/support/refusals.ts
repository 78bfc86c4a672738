import type { FastifyInstance } from 'fastify';
import { codes } from '../../contracts/codes.ts';
import { refusalsOf } from '../../contracts/http/contract.ts';

/**
 * Reports each refusal whose code the contract of its call does not name: clients read the codes of a call in
 * openapi.json. To be called before the server is ready.
 */
export function watchRefusals(server: FastifyInstance, report: (error: Error) => void): void {
  server.addHook('onSend', async ({ routeOptions }, reply, payload) => {
    const { contract } = routeOptions.config;
    const { envelopeCode: code, statusCode } = reply;
    if (contract === undefined || code === 0 || statusCode !== 200) return payload;
    if (!refusalsOf(contract).some((reason) => codes[reason].code === code))
      report(new Error(`${contract.path} was refused with code ${code}, which its contract does not name`));
    return payload;
  });
}
