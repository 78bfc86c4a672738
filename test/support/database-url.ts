/** The connection string of another database on the same server. */
export function withDatabase(url: string, name: string): string {
  const authority = url.indexOf('://') + 3;
  const [server = '', query] = url.split('?');
  const slash = server.indexOf('/', authority);
  return `${slash === -1 ? server : server.slice(0, slash)}/${name}${query === undefined ? '' : `?${query}`}`;
}
