import { readFile, writeFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';

/* Makes the types of a client: `node generate-types.ts openapi.json openapi.d.ts`, as openapi-typescript does. */

// openapi-typescript works with the JavaScript API of TypeScript, which version 7 has not.
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === 'typescript' ? 'typescript-6' : specifier, context),
});
const { default: typesOf, astToString } = await import('openapi-typescript');

const [, , document = '', types = ''] = process.argv;
await writeFile(types, astToString(await typesOf(await readFile(document, 'utf8'))));
