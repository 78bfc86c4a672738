import type { IncomingHttpHeaders } from 'node:http';

/** The token that a request shows in a header: `Authorization: Bearer …`, or `token`, as older clients send it. */
export function shownToken({ authorization, token }: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  return typeof token === 'string' && token !== '' ? token : undefined;
}
