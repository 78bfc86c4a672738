import { type LogIdentity, type LogInspection, type LogInspector, newIdentityName } from '../identity.ts';
import type { EventId, Position } from '../log.ts';
import { eventNumberOf } from './position.ts';

/** A connection or a pool. */
interface Queryable {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

interface Row {
  readonly installation: string | null;
  readonly epoch: string | null;
  readonly id: EventId | null;
}

const inspection = `select i.installation, i.epoch, (select e.id from log.events e where e.position = $1) as id
  from (select) one left join log.identity i on true`;

/** Reads and changes the log's identity over a connection or pool. Every method throws what `pg` throws. */
export function inspectorOver(
  connection: Queryable,
): LogInspector & { found(identity: LogIdentity): Promise<LogIdentity> } {
  async function inspect(position: Position | undefined): Promise<LogInspection> {
    const { rows } = await connection.query(inspection, [
      position === undefined ? 0 : eventNumberOf(position),
    ]);
    // The columns are those of the query above.
    const [row] = rows as Row[];
    if (!row || row.installation === null || row.epoch === null) {
      return { identity: undefined, id: row?.id ?? undefined };
    }
    return { identity: { installation: row.installation, epoch: row.epoch }, id: row.id ?? undefined };
  }

  async function present(): Promise<LogIdentity> {
    const { identity } = await inspect(undefined);
    if (identity === undefined) throw new Error('the log has no identity yet');
    return identity;
  }

  return {
    inspect,
    async found({ installation, epoch }) {
      await connection.query(
        'insert into log.identity (installation, epoch) values ($1, $2) on conflict do nothing',
        [installation, epoch],
      );
      return present();
    },
    async beginEpoch(old) {
      await connection.query('update log.identity set epoch = $2 where epoch = $1', [old, newIdentityName()]);
      return present();
    },
  };
}
