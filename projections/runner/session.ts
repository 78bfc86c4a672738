import type { Purpose } from '../../services/postgres/connect.ts';

/**
 * The session in which read models are written.
 * A batch writes 10,000 rows at most, which takes a busy disk some seconds. What is lost in a crash is made again, so
 * commits need not wait for the disk; every statement finds its rows by a key, so a plan without an index is never the
 * right one.
 * @param schema in which the tables are
 */
export function writingSession(name: string, schema: string): Purpose {
  return {
    name,
    statementTimeoutMs: 15_000,
    settings: {
      search_path: schema,
      synchronous_commit: 'off',
      enable_seqscan: 'off',
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      plan_cache_mode: 'force_generic_plan',
      jit: 'off',
    },
  };
}
