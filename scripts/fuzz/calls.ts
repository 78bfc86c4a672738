import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { tagNamed } from '../../services/api/documentation/tags.ts';

const Shape = z.record(z.string(), z.unknown());
/** A JSON Schema. */
export type Shape = z.infer<typeof Shape>;

const Content = z.record(z.string(), z.looseObject({ schema: Shape.optional() }));
const Parameter = z.object({ name: z.string(), required: z.boolean(), schema: Shape });
const Reference = z.strictObject({ $ref: z.string() });
const Operation = z.object({
  tags: z.array(z.string()),
  security: z.array(Shape),
  parameters: z.array(z.union([Parameter, Reference])).default([]),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.object({ '200': z.object({ content: Content }) }),
});
type Operation = z.infer<typeof Operation>;
const Servers = z.array(z.object({ url: z.string() }));
const Document = z.object({
  servers: Servers,
  paths: z.record(
    z.string(),
    z.object({ servers: Servers.optional(), get: Operation.optional(), post: Operation.optional() }),
  ),
});
const Body = z.looseObject({
  properties: z.record(z.string(), Shape).default({}),
  required: z.array(z.string()).default([]),
});

export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Shape;
}

/** One call of the API, as its page describes it. */
export interface Call {
  readonly method: 'GET' | 'POST';
  /** Without prefix. */
  readonly path: string;
  /** Under which it is served; '' for one that has none. */
  readonly prefixes: readonly string[];
  readonly parameters: readonly Parameter[];
  /** Whether a file comes with it. */
  readonly upload: boolean;
  /** Whether its answer is a picture. */
  readonly picture: boolean;
  /** Whether only the server's key may call it. */
  readonly forServer: boolean;
  /** What is wrong with an answer's JSON by the page's schema; undefined if it fits. */
  misfit(answer: unknown): string | undefined;
}

/** The calls that answer without the envelope, which further-requests.ts makes. */
const outside = [tagNamed('probe'), tagNamed('pusher')];

/** Reads the calls out of openapi.json. */
export function readCalls(text: string): readonly Call[] {
  const json: unknown = JSON.parse(text);
  const { servers, paths } = Document.parse(json);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(Shape.parse(json), documentId);
  return Object.entries(paths).flatMap(([path, item]) => {
    const prefixes = (item.servers ?? servers).map(({ url }) => url.replace(/\/$/, ''));
    const operations = [['GET', item.get] as const, ['POST', item.post] as const];
    return operations.flatMap(([method, operation]) =>
      operation === undefined || outside.some((tag) => operation.tags.includes(tag))
        ? []
        : [{ method, path, prefixes, ...read(operation, answerOf(path, method), ajv) }],
    );
  });
}

/** Under which id the whole document is, so that its schemas find the components that they refer to. */
const documentId = 'openapi.json';

/** Where the document has the schema of a call's answers. */
function answerOf(path: string, method: 'GET' | 'POST'): string {
  const steps = [
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    '200',
    'content',
    'application/json',
    'schema',
  ];
  return steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function read(
  operation: Operation,
  answer: string,
  ajv: Ajv2020,
): Omit<Call, 'method' | 'path' | 'prefixes'> {
  const kinds = Object.entries(operation.requestBody?.content ?? {});
  const { properties, required } = Body.parse(kinds[0]?.[1].schema ?? {});
  const ofBody = Object.entries(properties).map(([name, schema]) => ({
    ...{ name, schema, required: required.includes(name) },
  }));
  const answers = operation.responses['200'].content;
  const fits = ajv.compile({ $ref: `${documentId}#${answer}` });
  // A reference is to a header, which is no parameter of the call.
  const ofQuery = operation.parameters.flatMap((parameter) => Parameter.safeParse(parameter).data ?? []);
  return {
    parameters: [...ofQuery, ...ofBody],
    upload: kinds.length === 1,
    picture: Object.keys(answers).length > 1,
    forServer: operation.security.every((ways) => 'appKey' in ways),
    misfit: (answer) => (fits(answer) ? undefined : ajv.errorsText(fits.errors)),
  };
}
