import { existsSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { codes } from '../../contracts/codes.ts';
import { readParameters } from '../../contracts/http/contract.ts';
import { ReceivedFile } from '../../contracts/http/upload.ts';
import { type RunningApplication, startApplication } from '../support/application.ts';
import { servedContracts } from '../support/contracts.ts';
import { callsOf } from '../support/routes.ts';

const Shape = z.record(z.string(), z.unknown());
type Shape = z.infer<typeof Shape>;
const Shown = z.object({
  schema: Shape,
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.object({ value: z.unknown() })).optional(),
});
const Content = z.record(z.string(), z.looseObject({ schema: Shape }));
const Operation = z.strictObject({
  operationId: z.string(),
  tags: z.tuple([z.string().min(1)]),
  summary: z.string().regex(/\p{Script=Han}/u),
  description: z
    .string()
    .regex(/^(别名|泡泡IM没有的接口)/)
    .optional(),
  security: z.array(Shape).min(1),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.literal('query'),
        required: z.boolean(),
        schema: Shape,
        description: z.string().min(1),
        example: z.unknown().optional(),
      }),
    )
    .optional(),
  requestBody: z.strictObject({ content: Content }).optional(),
  responses: z.looseObject({ '200': z.strictObject({ description: z.string().min(1), content: Content }) }),
});
const Document = z.looseObject({
  openapi: z.string().startsWith('3.1'),
  servers: z.array(z.object({ url: z.string() })),
  paths: z.record(z.string(), z.object({ get: Operation.optional(), post: Operation.optional() })),
});

/** Whatever in a document has a schema, with each example of it. */
function examplesIn(part: unknown, at = ''): { at: string; schema: Shape; example: unknown }[] {
  if (typeof part !== 'object' || part === null) return [];
  const { data: shown } = Shown.safeParse(part);
  const within = Object.entries(part).flatMap(([key, value]) => examplesIn(value, `${at}/${key}`));
  if (!shown) return within;
  const { schema, example, examples = {} } = shown;
  return [
    ...within,
    ...(example === undefined ? [] : [{ at: `${at}/example`, schema, example }]),
    ...Object.entries(examples).map(([name, { value }]) => ({ at: `${at}/${name}`, schema, example: value })),
  ];
}

let running: RunningApplication;
let document: z.infer<typeof Document>;
beforeAll(async () => {
  running = await startApplication();
  document = Document.parse((await running.server.inject({ url: '/openapi.json' })).json());
});
afterAll(() => running.stop());

const contracts = servedContracts();

/** Of several schemas, the one that a value fits. */
const BodySchema = z.looseObject({
  properties: z.record(z.string(), Shape),
  required: z.array(z.string()).optional(),
});

describe('the description of the calls', () => {
  test('has every call that is served, and no other', () => {
    const described = Object.entries(document.paths).flatMap(([path, { get, post }]) => [
      ...(get ? [`GET ${path}`] : []),
      ...(post ? [`POST ${path}`] : []),
    ]);
    expect(described.sort()).toEqual(callsOf(running.server));
  });

  test('is valid by the schema that OpenAPI 3.1 itself publishes', async () => {
    const text: unknown = (await running.server.inject({ url: '/openapi.json' })).json();
    const validator = new Validator();
    const { valid, errors } = await validator.validate(Shape.parse(text));
    expect(errors).toBeUndefined();
    expect([valid, validator.version]).toEqual([true, '3.1']);
  });

  test('has examples that are valid by the schemas beside them', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    ajv.addKeyword('x-maxBytes');
    const shown = examplesIn(document);
    for (const { at, schema, example } of shown) {
      expect(ajv.validate(schema, example), `${at}: ${ajv.errorsText()}`).toBe(true);
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
    if (get) expect(get.parameters?.map(({ name }) => name)).toEqual(names);
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

  test('shows the codes that it may be refused with', () => {
    const shown = JSON.stringify(entry()?.get?.responses ?? entry()?.post?.responses);
    for (const reason of [...refuses, ...(access === 'open' ? [] : ['notLoggedIn' as const])]) {
      expect(shown).toContain(`"${codes[reason].code} ${reason}"`);
    }
  });
});

const browser = '/usr/bin/chromium';

describe.skipIf(!existsSync(browser))('the page at /docs, in a browser (chromium)', () => {
  test('shows the calls and tries one, with nothing from any other host', async () => {
    const chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] });
    try {
      const page = await chrome.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => {
        if (!/^(data:|blob:)/.test(request.url()) && !request.url().startsWith(running.url))
          complaints.push(request.url());
      });
      await page.goto(`${running.url}/docs`);
      await page.locator('[data-tag="聚合接口"]').click();
      const call = page.locator('.opblock').filter({ hasText: '/pop/getsetting' });
      await call.locator('.opblock-summary').click();
      await call.getByRole('button', { name: 'Try it out' }).click();
      await call.getByRole('button', { name: 'Execute' }).click();
      const answer = await call.locator('.live-responses-table').textContent();
      expect(answer).toContain('泡泡IM');
      expect(await page.locator('.opblock-tag').count()).toBe(15);
      expect(complaints).toEqual([]);
    } finally {
      await chrome.close();
    }
  }, 60_000);
});
