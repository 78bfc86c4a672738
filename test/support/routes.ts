import type { FastifyInstance } from 'fastify';
import { apiPrefixes } from '../../contracts/http/contract.ts';

/** Routes that are no calls of the API, and why no list of calls has them. */
export const besideTheCalls: readonly (readonly [route: RegExp, reason: string])[] = [
  [/^GET \/((chat|console)?\/?(index\.html)?|assets\/.+)$/, 'pages'],
  [/^GET \/upload\/\*$/, 'what was uploaded, as a stream'],
  [/^GET \/static\/img\/avatar\.jpg$/, 'a picture'],
  [/^GET \/(openapi\.json|docs.*)$/, 'documentation'],
  [/^GET \/(health|ready)$/, 'for operators'],
  [/^GET \/audit\/log\/(checkpoint|tile\/\*)$/, 'the Merkle tree over the log, as text and bytes'],
  [/^GET \/audit\/(live|verify)$/, 'lines that come as long as the client listens'],
  [/^OPTIONS \*$/, 'asked by browsers beforehand'],
  [
    /^POST \/(pusher\/auth|plugin\/webman\/push\/auth|(api|web|h5)\/push\/auth|pusher\/user-auth)$/,
    'of Pusher’s protocol',
  ],
  [/^(GET|POST) \/apps\/:id\/.+$/, 'of Pusher’s protocol'],
];

/** What a server serves, as `POST /api/user/update`, sorted; but HEAD, which goes with GET. */
export function routesOf(server: FastifyInstance): string[] {
  const routes: string[] = [];
  /** What the urls begin with below a line of the tree, by its depth. */
  const beginnings: string[] = [];
  for (const line of server.printRoutes().replace(' (empty root node)', ' ').split('\n').filter(Boolean)) {
    const [, indent, part, methods = ''] = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    if (indent === undefined || part === undefined) throw new Error(`no line of a tree: ${line}`);
    const depth = indent.length / 4;
    const url = (beginnings[depth - 1] ?? '') + part;
    beginnings[depth] = url;
    const served = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
    routes.push(...served.map((method) => `${method} ${url}`));
  }
  return routes.sort();
}

/** The calls of the API among them, each once whatever its prefixes, as `POST /user/update`. */
export function callsOf(server: FastifyInstance): string[] {
  const prefix = new RegExp(` (${apiPrefixes.join('|')})/`);
  const calls = routesOf(server).filter((route) => !besideTheCalls.some(([beside]) => beside.test(route)));
  return [...new Set(calls.map((route) => route.replace(prefix, ' /')))].sort();
}
