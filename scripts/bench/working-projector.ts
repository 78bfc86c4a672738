import pg from 'pg';

/** The pid of the program whose projector works: its lease names it. */
export async function workingProjectorPid(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ holder: string }>(
      `select holder from followers.lease where name = 'read'`,
    );
    return Number(rows[0]?.holder.split('/').at(-2));
  } finally {
    await client.end();
  }
}
