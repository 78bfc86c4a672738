import type { Contract } from '../../../contracts/http/contract.ts';
import { logPositionForm } from '../../../contracts/log-position.ts';
import { introduction } from './introduction.ts';
import { operationOf } from './operations.ts';
import { plainPaths } from './plain-operations.ts';
import { refusalResponses } from './refusals.ts';
import { Schemas, type Shape } from './schemas.ts';
import { securitySchemes } from './security.ts';
import { describedTags } from './tags.ts';
import { webhooksOf } from './webhooks.ts';

/** A contract as it is served. */
export interface ServedContract {
  readonly contract: Contract;
  /** Whether it is served under each of the API's prefixes, or under its path only. */
  readonly prefixed: boolean;
}

/** The OpenAPI 3.1 document of all calls and pushes, made from their contracts. */
export function describeApi(served: readonly ServedContract[], prefixes: readonly string[]): Shape {
  const schemas = new Schemas();
  const paths: Record<string, Shape> = {};
  for (const { contract, prefixed } of served) {
    const operations = contract.methods.map((method) => [
      method.toLowerCase(),
      operationOf(contract, method, schemas),
    ]);
    paths[contract.path] = {
      ...(prefixed ? {} : { servers: [{ url: '/' }] }),
      ...Object.fromEntries(operations),
    };
  }
  Object.assign(paths, plainPaths(schemas));
  const webhooks = webhooksOf(schemas);
  const responses = refusalResponses(schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'bubble-im',
      version: '0.1.0',
      description: introduction,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: prefixes.map((url) => ({ url })),
    tags: describedTags,
    paths,
    webhooks,
    components: {
      securitySchemes,
      parameters: { Position: { name: 'X-Position', in: 'header', ...position.ofQueries } },
      headers: { Position: position.ofAnswers },
      responses,
      schemas: schemas.components,
    },
  };
}

const position = {
  ofQueries: {
    required: false,
    description: '写操作返回的X-Position:等到读模型到达该位置后才返回',
    schema: { type: 'string', pattern: logPositionForm.source },
  },
  ofAnswers: {
    description: '写操作在日志中的位置;查询时,日志中已经没有所要求的位置(例如恢复了备份)为reset',
    schema: { type: 'string' },
  },
};
