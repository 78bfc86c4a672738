import { z } from 'zod';

const Media = z.looseObject({ example: z.unknown().optional() });
const Operation = z.looseObject({
  servers: z.array(z.object({ url: z.string() })).optional(),
  security: z.array(z.record(z.string(), z.unknown())),
  parameters: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        in: z.enum(['query', 'path']).optional(),
        example: z.unknown().optional(),
      }),
    )
    .default([]),
  requestBody: z.object({ content: z.record(z.string(), Media) }).optional(),
});
const Document = z.looseObject({
  servers: z.array(z.object({ url: z.string() })),
  paths: z.record(
    z.string(),
    z.looseObject({
      servers: z.array(z.object({ url: z.string() })).optional(),
      get: Operation.optional(),
      post: Operation.optional(),
    }),
  ),
});

export type Values = Readonly<Record<string, unknown>>;

/** The request of an operation's example, as the page at /docs sends it. */
export interface ExampleRequest {
  /** `POST /message/send` */
  readonly operation: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly query: Values;
  /** The body of JSON, or the fields beside the file of an upload. */
  readonly body?: Values;
  readonly takesFile: boolean;
  /** The names of the ways in which it may be authorized, in the document's order; none: anyone may call. */
  readonly security: readonly string[];
  /** Where the document describes the answer with the status 200, as a JSON pointer. */
  readonly answer: string;
}

/** The requests of all examples of a document, in its order. */
export function exampleRequests(document: unknown): ExampleRequest[] {
  const { servers, paths } = Document.parse(document);
  return Object.entries(paths).flatMap(([path, { servers: own = servers, get, post }]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = { get, post }[method];
      if (!operation) return [];
      const { parameters, requestBody, security } = operation;
      const content = requestBody?.content ?? {};
      const { example } = content['application/json'] ?? {};
      const given = (place: 'path' | 'query') =>
        Object.fromEntries(
          parameters.flatMap(({ name, in: where, example }) =>
            name !== undefined && where === place && example !== undefined ? [[name, example]] : [],
          ),
        );
      const filled = Object.entries(given('path')).reduce(
        (url, [name, value]) => url.replace(`{${name}}`, encodeURIComponent(String(value))),
        path,
      );
      const prefix = own[0]?.url ?? '';
      return [
        {
          operation: `${method.toUpperCase()} ${path}`,
          method: method === 'get' ? ('GET' as const) : ('POST' as const),
          url: `${prefix === '/' ? '' : prefix}${filled}`,
          query: given('query'),
          ...(requestBody && { body: z.record(z.string(), z.unknown()).parse(example ?? {}) }),
          takesFile: requestBody !== undefined && !('application/json' in content),
          security: security.flatMap((way) => Object.keys(way)),
          answer: `/paths/${path.replaceAll('/', '~1')}/${method}/responses/200`,
        },
      ];
    }),
  );
}
