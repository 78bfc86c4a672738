import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import type { Contract } from '../../contracts/http/contract.ts';
import { doneWith } from '../../contracts/http/envelope.ts';
import { Schemas } from '../../services/api/documentation/schemas.ts';

const ajv = new Ajv2020({ strict: false, logger: false });
const validators = new Map<Contract, ValidateFunction>();

/**
 * Reports each answer that is not as openapi.json describes it, with a field too many or too few. To be called before
 * the server is ready.
 */
export function watchAnswers(server: FastifyInstance, report: (error: Error) => void): void {
  server.addHook('onSend', async ({ routeOptions }, reply, payload) => {
    const { contract } = routeOptions.config;
    if (contract === undefined || contract.picture || reply.envelopeCode !== 0 || reply.statusCode !== 200)
      return payload;
    const validate = validatorOf(contract);
    if (!validate(JSON.parse(String(payload))))
      report(new Error(`${contract.path} answered ${payload}: ${ajv.errorsText(validate.errors)}`));
    return payload;
  });
}

function validatorOf(contract: Contract): ValidateFunction {
  const known = validators.get(contract);
  if (known) return known;
  const schemas = new Schemas();
  const schema = schemas.shapeOf(doneWith(contract.data), 'output');
  const made = ajv.compile({ ...schema, components: { schemas: schemas.components } });
  validators.set(contract, made);
  return made;
}
