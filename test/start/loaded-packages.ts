import { registerHooks } from 'node:module';

/* Prints which packages a start of the whole program loads, as JSON. */
const packages = new Set<string>();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url) ?? [];
    if (name !== undefined) packages.add(name);
    return resolved;
  },
});
await import('../../services/whole.ts');
process.stdout.write(JSON.stringify([...packages]));
