import type { LogIdentity, LogLook, LogSight } from '../identity.ts';
import { newIdentityName } from '../identity.ts';
import type { EventId, Position } from '../log.ts';
import { placeOf } from './position.ts';

/** What is asked over: a connection, or a pool. */
interface Asked {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

interface Row {
  readonly installation: string | null;
  readonly epoch: string | null;
  readonly id: EventId | null;
}

const look = `select i.installation, i.epoch, (select e.id from log.events e where e.position = $1) as id
  from (select) one left join log.identity i on true`;

/** Asks over one connection who the log is. Everything throws what the connection throws. */
export function sightOver(asked: Asked): LogSight & { found(identity: LogIdentity): Promise<LogIdentity> } {
  async function lookAt(position: Position | undefined): Promise<LogLook> {
    const { rows } = await asked.query(look, [position === undefined ? 0 : placeOf(position)]);
    // The columns are those of the query above.
    const [row] = rows as Row[];
    if (!row || row.installation === null || row.epoch === null) {
      return { identity: undefined, id: row?.id ?? undefined };
    }
    return { identity: { installation: row.installation, epoch: row.epoch }, id: row.id ?? undefined };
  }

  async function present(): Promise<LogIdentity> {
    const { identity } = await lookAt(undefined);
    if (identity === undefined) throw new Error('the log has no identity yet');
    return identity;
  }

  return {
    look: lookAt,
    async found({ installation, epoch }) {
      await asked.query(
        'insert into log.identity (installation, epoch) values ($1, $2) on conflict do nothing',
        [installation, epoch],
      );
      return present();
    },
    async beginEpoch(old) {
      await asked.query('update log.identity set epoch = $2 where epoch = $1', [old, newIdentityName()]);
      return present();
    },
  };
}
