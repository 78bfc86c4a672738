import pg from 'pg';

/**
 * Whether a prepared statement failed because a migration has changed its result columns
 * ("cached plan must not change result type"). Nothing was executed; prepared again it works.
 */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === '0A000' && error.routine === 'RevalidateCachedQuery'
  );
}
