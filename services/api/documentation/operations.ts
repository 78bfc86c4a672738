import type { z } from 'zod';
import { type Contract, isQuery } from '../../../contracts/http/contract.ts';
import { doneWith } from '../../../contracts/http/envelope.ts';
import { parameterOf } from './parameter.ts';
import { refusalsByStatus, refusalsInEnvelope } from './refusals.ts';
import type { Schemas, Shape } from './schemas.ts';
import { securityOf } from './security.ts';
import { tagOf } from './tags.ts';

/** A call by one of its methods, as an operation of the document. */
export function operationOf(contract: Contract, method: 'GET' | 'POST', schemas: Schemas): Shape {
  const position = isQuery(contract) ? [{ $ref: '#/components/parameters/Position' }] : [];
  const query = method === 'GET' ? queryOf(contract, schemas) : [];
  const parameters = [...query, ...position];
  return {
    operationId: `${method.toLowerCase()}${contract.path.replaceAll('/', '_')}`,
    tags: [tagOf(contract.path)],
    summary: contract.summary,
    ...descriptionOf(contract),
    security: securityOf[contract.access],
    ...(parameters.length > 0 && { parameters }),
    ...(method === 'POST' && { requestBody: bodyOf(contract, schemas) }),
    responses: { '200': answerOf(contract, schemas), ...refusalsByStatus() },
  };
}

/** What the summary and the parameters do not say; nothing of most calls. */
function descriptionOf({ ours, aliasOf, example: { needs } }: Contract): { description?: string } {
  const sentences = [
    ...(ours ? ['泡泡IM没有的接口,本系统新增'] : []),
    ...(aliasOf === undefined ? [] : [`别名,等同于 ${aliasOf},供原产品的客户端使用`]),
    ...(needs === undefined ? [] : [`示例需要:${needs}`]),
  ];
  return sentences.length === 0 ? {} : { description: sentences.join('。') };
}

/** The parameters as one object; those are required that refuse undefined. */
function inputOf(
  { parameters }: Contract,
  schemas: Schemas,
): { properties: Record<string, Shape>; required: string[] } {
  const fields = Object.entries<z.ZodType>(parameters.shape);
  return {
    properties: Object.fromEntries(fields.map(([name, field]) => [name, schemas.shapeOf(field, 'input')])),
    required: fields.filter(([, field]) => !field.safeParse(undefined).success).map(([name]) => name),
  };
}

function queryOf(contract: Contract, schemas: Schemas): Shape[] {
  const { properties, required } = inputOf(contract, schemas);
  const { parameters: given } = contract.example;
  return Object.entries(properties).map(([name, shape]) =>
    parameterOf('query', name, { shape, required: required.includes(name), example: given[name] }),
  );
}

function bodyOf(contract: Contract, schemas: Schemas): Shape {
  const { properties, required } = inputOf(contract, schemas);
  const schema = { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
  const { upload, example } = contract;
  const kinds = upload
    ? ['multipart/form-data']
    : ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
  const body = upload ? { schema } : { schema, example: example.parameters };
  return {
    required: required.length > 0,
    content: Object.fromEntries(kinds.map((kind) => [kind, body])),
  };
}

function answerOf(contract: Contract, schemas: Schemas): Shape {
  const { picture, data, example } = contract;
  const refusals = refusalsInEnvelope(contract, schemas);
  if (picture) {
    return {
      description: '图片流;拒绝时为JSON',
      content: {
        [picture]: { schema: { type: 'string', format: 'binary' } },
        'application/json': { schema: refusals.schema, examples: refusals.examples },
      },
    };
  }
  const ok = { summary: '0 ok', value: { code: 0, msg: 'ok', data: example.data } };
  return {
    description: `code:${['0 ok', ...refusals.words].join('、')}`,
    headers: { 'X-Position': { $ref: '#/components/headers/Position' } },
    content: {
      'application/json': {
        schema: { oneOf: [schemas.shapeOf(doneWith(data), 'output'), refusals.schema] },
        examples: { ok, ...refusals.examples },
      },
    },
  };
}
