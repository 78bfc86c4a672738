import pg from 'pg';

/**
 * Whether a prepared statement no longer fits its tables, since a migration has changed what it gives
 * ("cached plan must not change result type"). Nothing was done; prepared anew it works.
 */
export function isStalePlan(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && error.code === '0A000' && error.routine === 'RevalidateCachedQuery'
  );
}
