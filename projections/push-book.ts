import type { PushData, PushName } from '../contracts/push/index.ts';
import { formatPosition } from '../contracts/push/position.ts';
import type { PushRow } from '../contracts/push/row.ts';
import { int4s, type Statement, texts } from '../services/postgres/pipeline.ts';
import type { Pushes } from './projection.ts';

/** Gathers what the events of a batch push, each with its position in its data. */
export class PushBook implements Pushes {
  readonly rows: PushRow[] = [];
  readonly #epoch: string;
  readonly #quietUntil: string;
  #place = '';
  #number = 0;

  /** `epoch` is that of the read models; what lies at or before `quietUntil` was pushed long ago. */
  constructor(epoch: string, quietUntil: string) {
    this.#epoch = epoch;
    this.#quietUntil = quietUntil;
  }

  /** Begins the pushes of the event at `place`. */
  open(place: string): void {
    this.#place = place;
    this.#number = 0;
  }

  add<Name extends PushName>(channel: string, event: Name, data: PushData<Name>): void {
    const place = this.#place;
    if (place <= this.#quietUntil) return;
    const number = this.#number++;
    const position = formatPosition({ epoch: this.#epoch, place, number });
    this.rows.push({ channel, place, number, event, data: JSON.stringify({ ...data, position }) });
  }
}

/** Writes rows into the table `push`. */
export function insertPushes(rows: readonly PushRow[], batch: number): Statement {
  return {
    name: 'write push',
    text: `insert into read.push (place, number, channel, event, data, batch)
      select given.*, $6::bigint
      from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[]) as given`,
    values: [
      texts(rows.map(({ place }) => place)),
      int4s(rows.map(({ number }) => number)),
      texts(rows.map(({ channel }) => channel)),
      texts(rows.map(({ event }) => event)),
      texts(rows.map(({ data }) => data)),
      batch,
    ],
  };
}
