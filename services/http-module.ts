/*
 * What we use of node:http. An import of that module would copy all that it exports, and one of these is made from the
 * whole of fetch, which takes some 5 % of a start's processor time.
 */
export const { createServer, IncomingMessage, STATUS_CODES } = process.getBuiltinModule('node:http');
