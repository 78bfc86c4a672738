import { z } from 'zod';
import type { PlainCall } from '../../../contracts/http/plain-call.ts';
import { aliveCall, readyCall } from '../../../contracts/http/probes.ts';
import { apiAuth, pusherAuth, pusherUserAuth } from '../../../contracts/push/auth-calls.ts';
import { serverCalls } from '../../../contracts/push/server-calls.ts';
import { parameterOf } from './parameter.ts';
import { refusalsByStatus } from './refusals.ts';
import type { Schemas, Shape } from './schemas.ts';
import { securityOf } from './security.ts';
import { tagNamed } from './tags.ts';

const calls: readonly (readonly [tag: string, call: PlainCall])[] = [
  ...[aliveCall, readyCall].map((call) => ['probe', call] as const),
  ...[pusherAuth, apiAuth, pusherUserAuth, ...serverCalls].map((call) => ['pusher', call] as const),
];

/** The calls outside the envelope, by their paths. */
export function plainPaths(schemas: Schemas): Record<string, Shape> {
  return Object.fromEntries(
    calls.map(([tag, call]) => [
      call.url,
      { servers: [{ url: '/' }], [call.method.toLowerCase()]: operationOf(tag, call, schemas) },
    ]),
  );
}

function operationOf(tag: string, call: PlainCall, schemas: Schemas): Shape {
  const { url, method, access, summary, path, query, body, forms, example, refuses = [], answers } = call;
  const parameters = [
    ...parametersOf('path', path, example.path ?? {}, schemas),
    ...parametersOf('query', query, {}, schemas),
  ];
  const kinds = ['application/json', ...(forms ? ['application/x-www-form-urlencoded'] : [])];
  return {
    operationId: `${method.toLowerCase()}${url.replaceAll('/', '_').replaceAll(/[{}]/g, '')}`,
    tags: [tagNamed(tag)],
    summary,
    security: securityOf[access],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: bodyOf(kinds, body, example.body, schemas) }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { meaning, data }]) => [
          status,
          {
            description: meaning,
            content: { 'application/json': { schema: schemas.shapeOf(data, 'output') } },
          },
        ]),
      ),
      ...refusalsByStatus(refuses),
    },
  };
}

function bodyOf(kinds: readonly string[], body: z.ZodType, example: unknown, schemas: Schemas): Shape {
  const content = { schema: schemas.shapeOf(body, 'input'), example };
  return { required: true, content: Object.fromEntries(kinds.map((kind) => [kind, content])) };
}

function parametersOf(
  place: 'path' | 'query',
  fields: z.ZodObject | undefined,
  examples: Readonly<Record<string, string>>,
  schemas: Schemas,
): Shape[] {
  return Object.entries<z.ZodType>(fields?.shape ?? {}).map(([name, field]) =>
    parameterOf(place, name, {
      shape: schemas.shapeOf(field, 'input'),
      required: place === 'path' || !z.safeParse(field, undefined).success,
      example: examples[name],
    }),
  );
}
