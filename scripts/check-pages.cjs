// Checks the types of services/pages: vue-tsc works with the JavaScript API of TypeScript, which version 7 has not.
process.argv.push('--project', 'services/pages/tsconfig.json');
require('vue-tsc').run(require.resolve('typescript-6/lib/tsc'));
