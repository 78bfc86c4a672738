import type { Socket } from 'node:net';

/** Names of the functions by which Node's parser of a connection hands over what it has read. */
export type HandOver =
  | 'parserOnHeaders'
  | 'parserOnHeadersComplete'
  | 'parserOnBody'
  | 'parserOnMessageComplete';

/** Headers beyond the first 32, a request, its body, and its end. */
const everything: readonly HandOver[] = [
  'parserOnHeaders',
  'parserOnHeadersComplete',
  'parserOnBody',
  'parserOnMessageComplete',
];

/**
 * Keeps the parser of a connection from handing over what it reads: a packet may hold thousands of requests or pieces
 * of a body, each of which takes microseconds, and nothing ends a packet before its end. Node has no documented way for
 * this; a parser of another form is left as it is.
 * @param what by default everything: the connection has been cut off
 * @returns has it hand them over again, as the closing of the connection does
 */
export function silenceParser(socket: Socket, what: readonly HandOver[] = everything): () => void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (typeof parser !== 'object' || parser === null) return () => undefined;
  const silenced = Object.entries(parser).filter(
    ([, value]) => typeof value === 'function' && what.some((name) => name === value.name),
  );
  for (const [key] of silenced) Reflect.set(parser, key, undefined);
  // Parsers are used again, for the next request and for other connections.
  const handOverAgain = () => {
    socket.off('close', handOverAgain);
    for (const [key, handOver] of silenced) Reflect.set(parser, key, handOver);
  };
  socket.once('close', handOverAgain);
  return handOverAgain;
}
