import { app } from './harness.ts';

/** The headers of the server's key. */
export const asServer = { 'x-app-key': app.key, 'x-app-secret': app.secret };

/** The header of a token. */
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Calls the auth endpoints of one gateway, with JSON or with a form. */
export function authCalls(port: number) {
  const post = async (path: string, body: string | URLSearchParams, headers: Record<string, string>) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.json() };
  };
  return {
    postJson: (path: string, body: object, headers: Record<string, string> = {}) =>
      post(path, JSON.stringify(body), { 'content-type': 'application/json', ...headers }),
    postForm: (path: string, body: Record<string, string>, headers: Record<string, string> = {}) =>
      post(path, new URLSearchParams(body), headers),
  };
}
