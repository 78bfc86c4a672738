import { Gid, Uid } from '../../../contracts/ids.ts';

/** What is asked of a moment: a folded state, or a query of the API. */
export type Query =
  | { readonly kind: 'group'; readonly gid: Gid }
  | { readonly kind: 'user'; readonly uid: Uid }
  | { readonly kind: 'friends'; readonly uid: Uid }
  | { readonly kind: 'settings' }
  | {
      readonly kind: 'call';
      readonly path: string;
      /** The parameters as a URL has them behind its `?`, for the API to read. */
      readonly search: string;
    };

/** What is wrong with a query, and what would be right. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** How each query is written; a word in upper case is a number. */
const queryForms = ['group GID', 'user UID', 'friends UID', 'settings', 'pop/get --login_uid UID'];

/**
 * Reads a query, given as its words: a state and its id, or the name of a call of the API with its parameters, as
 * `pop/get --login_uid 9` or `pop/get?login_uid=9`.
 * @throws QueryError, which names what would be right
 */
export function parseQuery(words: readonly string[]): Query {
  const [first, ...rest] = words;
  if (first === undefined) throw new QueryError(`no query is given; queries are: ${queryForms.join(', ')}`);
  if (first.includes('/')) return callOf(first, rest);
  if (first === 'settings' && rest.length === 0) return { kind: 'settings' };
  const id = rest.length === 1 && /^\d{1,16}$/.test(rest[0] ?? '') ? Number(rest[0]) : undefined;
  if (first === 'group') {
    const { data: gid } = Gid.safeParse(id);
    if (gid !== undefined) return { kind: 'group', gid };
  }
  if (first === 'user' || first === 'friends') {
    const { data: uid } = Uid.safeParse(id);
    if (uid !== undefined) return { kind: first, uid };
  }
  const right = queryForms.find((form) => form.split(' ')[0] === first);
  throw new QueryError(
    right === undefined
      ? `there is no query "${first}"; queries are: ${queryForms.join(', ')}, and the other queries of the API`
      : `"${words.join(' ')}" should be ${right}${right === 'settings' ? '' : ', a whole number from 1 on'}`,
  );
}

function callOf(name: string, words: readonly string[]): Query {
  // As in a URL: a further one is of a value.
  const mark = name.includes('?') ? name.indexOf('?') : name.length;
  const path = name.slice(0, mark);
  const pairs = [name.slice(mark + 1)];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [, parameter, given] = /^--([\w[\]]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (parameter === undefined) {
      throw new QueryError(`"${word}" is no parameter: they are written as --login_uid 9`);
    }
    const value = given ?? words[++index];
    if (value === undefined) throw new QueryError(`--${parameter} has no value`);
    pairs.push(`${encodeURIComponent(parameter)}=${encodeURIComponent(value)}`);
  }
  return { kind: 'call', path: `/${path.replace(/^\/+/, '')}`, search: pairs.filter(Boolean).join('&') };
}
