import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { codes, statusOf } from '../../contracts/codes.ts';
import { readParameters, refusalsOf } from '../../contracts/http/contract.ts';
import { ReceivedFile } from '../../contracts/http/upload.ts';
import { pushes } from '../../contracts/push/index.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { servedContracts } from '../support/contracts.ts';
import { besideTheCalls, callsOf } from '../support/routes.ts';

const Shape = z.record(z.string(), z.unknown());
const Shown = z.object({
  schema: Shape,
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
});
const Content = z.record(
  z.string(),
  z.looseObject({ schema: Shape, examples: z.record(z.string(), z.unknown()).optional() }),
);
const Operation = z.strictObject({
  operationId: z.string(),
  tags: z.tuple([z.string().min(1)]),
  summary: z.string().regex(/\p{Script=Han}/u),
  description: z
    .string()
    .regex(/^(别名|泡泡IM没有的接口|示例需要)/)
    .optional(),
  security: z.array(Shape).min(1),
  parameters: z
    .array(
      z.union([
        z.strictObject({
          name: z.string(),
          in: z.enum(['query', 'path']),
          required: z.boolean(),
          schema: Shape,
          description: z.string().min(1),
          example: z.unknown().optional(),
        }),
        z.strictObject({ $ref: z.literal('#/components/parameters/Position') }),
      ]),
    )
    .default([]),
  requestBody: z.strictObject({ required: z.boolean(), content: Content }).optional(),
  responses: z.looseObject({
    '200': z.strictObject({
      description: z.string().min(1),
      headers: z.object({ 'X-Position': Shape }).optional(),
      content: Content,
    }),
  }),
});
const Document = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  servers: z.array(z.object({ url: z.string() })),
  paths: z.record(z.string(), z.object({ get: Operation.optional(), post: Operation.optional() })),
  webhooks: z.record(
    z.string(),
    z.object({ post: z.looseObject({ requestBody: z.object({ content: Content }) }) }),
  ),
  components: z.looseObject({ schemas: z.record(z.string(), Shape) }),
});

/** Whatever in a document has a schema, with each example of it: `schema` is where the document has the schema. */
function examplesIn(part: unknown, at = ''): { at: string; schema: string; example: unknown }[] {
  if (typeof part !== 'object' || part === null) return [];
  const { data: shown } = Shown.safeParse(part);
  const within = Object.entries(part).flatMap(([key, value]) =>
    examplesIn(value, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
  if (!shown) return within;
  const { example, examples = {} } = shown;
  const schema = `${at}/schema`;
  return [
    ...within,
    ...(example === undefined ? [] : [{ at: `${at}/example`, schema, example }]),
    ...Object.entries(examples).map(([name, { value }]) => ({ at: `${at}/${name}`, schema, example: value })),
  ];
}

let running: RunningApplication;
let json: unknown;
let document: z.infer<typeof Document>;
beforeAll(async () => {
  running = await startApplication();
  json = (await running.server.inject({ url: '/openapi.json' })).json();
  document = Document.parse(json);
});
afterAll(() => running.stop());

const contracts = servedContracts();

/** Whether a call answers without the envelope. */
const isPlain = (call: string) =>
  besideTheCalls.some(([route]) => route.test(call.replaceAll(/\{(\w+)\}/g, ':$1')));

/** Of several schemas, the one that a value fits. */
const BodySchema = z.looseObject({
  properties: z.record(z.string(), Shape),
  required: z.array(z.string()).optional(),
});

describe('the description of the calls', () => {
  test('has every call that is served, and no other in the envelope', () => {
    const described = Object.entries(document.paths).flatMap(([path, { get, post }]) => [
      ...(get ? [`GET ${path}`] : []),
      ...(post ? [`POST ${path}`] : []),
    ]);
    const calls = described.filter((call) => !isPlain(call));
    expect(calls.sort()).toEqual(callsOf(running.server));
  });

  test('has the probes and Pusher’s endpoints', () => {
    expect(
      Object.keys(document.paths).filter((path) => isPlain(`GET ${path}`) || isPlain(`POST ${path}`)),
    ).toEqual([
      '/health',
      '/ready',
      '/pusher/auth',
      '/api/push/auth',
      '/pusher/user-auth',
      '/apps/{id}/events',
      '/apps/{id}/batch_events',
      '/apps/{id}/channels',
      '/apps/{id}/channels/{channel}',
      '/apps/{id}/channels/{channel}/users',
      '/apps/{id}/users/{user}/terminate_connections',
    ]);
  });

  test('has every push as a webhook, and the reset of a replay', () => {
    expect(Object.keys(document.webhooks)).toEqual([...Object.keys(pushes), 'reset']);
    const data = Object.values(document.webhooks).map(
      ({ post }) => post.requestBody.content['application/json'],
    );
    const named = data.map((content) => String(content?.schema.$ref).replace('#/components/schemas/', ''));
    expect(named).toContain('AnnouncementRevokePush');
    const positioned = named.filter(
      (name) => 'position' in BodySchema.parse(document.components.schemas[name]).properties,
    );
    expect(named.filter((name) => !positioned.includes(name))).toEqual(['PresencePush']);
  });

  test('names what answers have in common', () => {
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining([
        'User',
        'Message',
        'Group',
        'GroupMember',
        'Contact',
        'Chat',
        'Setting',
        'Upload',
      ]),
    );
  });

  test('carries X-Position: an answer gives it, and a query may ask for it', () => {
    const { post: send } = document.paths['/message/send'] ?? {};
    const { get: read } = document.paths['/message/get'] ?? {};
    const asked = { $ref: '#/components/parameters/Position' };
    expect(send?.responses['200'].headers).toEqual({
      'X-Position': { $ref: '#/components/headers/Position' },
    });
    expect([send?.parameters, read?.parameters.at(-1)]).toEqual([[], asked]);
  });

  test('is valid by the schema that OpenAPI 3.1 itself publishes', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(Shape.parse(structuredClone(json)));
    expect(errors).toBeUndefined();
    expect([valid, validator.version]).toEqual([true, '3.1']);
  });

  test('has examples that are valid by the schemas beside them', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    ajv.addKeyword('x-maxBytes');
    ajv.addVocabulary(Object.keys(document));
    ajv.addSchema(Shape.parse(json), 'openapi.json');
    const shown = examplesIn(json);
    for (const { at, schema, example } of shown) {
      const isRight = ajv.validate({ $ref: `openapi.json#${schema}` }, example);
      expect(isRight, `${at}: ${ajv.errorsText()}`).toBe(true);
    }
    const answers = contracts.filter(({ picture }) => !picture).flatMap(({ methods }) => methods);
    expect(shown.filter(({ at }) => at.endsWith('/ok'))).toHaveLength(answers.length);
  });

  test('says where they are served', () => {
    expect(document.servers.map(({ url }) => url)).toEqual(['/api', '/web', '/h5']);
  });

  test('names each operation once', () => {
    const operations = Object.values(document.paths).flatMap(({ get, post }) => [get, post]);
    const ids = operations.flatMap((operation) => operation?.operationId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('leaves no inner word and no empty schema standing', () => {
    const text = JSON.stringify(document);
    expect(text).not.toContain('"shown"');
    expect(text).not.toContain('"prefixItems":[]');
    expect(text).not.toContain('9007199254740991');
  });
});

describe.each(contracts)('$path', (contract) => {
  const { path, parameters, example, upload, picture, data, refuses = [], access } = contract;
  const names = Object.keys(parameters.shape);
  const entry = () => document.paths[path];

  test('shows each parameter with its rules, and which must be given', () => {
    const { get, post } = entry() ?? {};
    const shown = get?.parameters.flatMap((parameter) => ('name' in parameter ? [parameter.name] : []));
    if (get) expect(shown).toEqual(names);
    if (!post) return;
    const kinds = Object.keys(post.requestBody?.content ?? {});
    const all = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
    expect(kinds).toEqual(upload ? ['multipart/form-data'] : all);
    for (const kind of kinds) {
      const { properties, required = [] } = BodySchema.parse(post.requestBody?.content[kind]?.schema);
      expect(Object.keys(properties)).toEqual(names);
      for (const [name, shape] of Object.entries(properties)) {
        expect(shape.description, name).toEqual(expect.any(String));
        expect(shape.type, name).toEqual(expect.any(String));
      }
      const missing = names.filter((name) => !z.safeParse(parameters.shape[name], undefined).success);
      expect(required).toEqual(missing);
      expect(post.requestBody?.required).toBe(missing.length > 0);
    }
  });

  test('shows an example that fits, and the answer to it', () => {
    const file = upload ? { file: new ReceivedFile('', '', 0) } : {};
    expect(() => readParameters(parameters, { ...example.parameters, ...file })).not.toThrow();
    if (!picture) expect(z.safeParse(data, example.data).error).toBeUndefined();
    const answers = [entry()?.get, entry()?.post].flatMap((operation) => operation?.responses['200'] ?? []);
    for (const { content } of answers) {
      if (picture) expect(Object.keys(content)).toContain(picture);
      else
        expect(content['application/json']?.examples).toMatchObject({
          ok: { value: { code: 0, msg: 'ok', data: example.data } },
        });
    }
  });

  test('shows the codes that it may be refused with, by their statuses', () => {
    const responses = entry()?.get?.responses ?? entry()?.post?.responses;
    const { schema, examples } = responses?.['200'].content['application/json'] ?? {};
    for (const reason of [...refuses, ...(access === 'open' ? [] : ['notLoggedIn' as const])]) {
      if (statusOf(reason) === 200) expect(examples).toHaveProperty([`${codes[reason].code} ${reason}`]);
      else expect(responses).toHaveProperty([`${statusOf(reason)}`]);
    }
    const numbers = [...new Set(refusalsOf(contract).map((reason) => codes[reason].code))];
    const refused = { code: numbers.length > 1 ? { enum: numbers } : { const: numbers[0] } };
    expect(schema).toMatchObject(
      picture
        ? { properties: refused }
        : { oneOf: [{ properties: { code: { const: 0 } } }, { properties: refused }] },
    );
  });
});
