import { quotedContent, type TakenBack } from '../../contracts/message-texts.ts';
import { announcementKey } from '../../contracts/push/announcement.ts';
import type { PushData, PushName, StoredData } from '../../contracts/push/index.ts';
import { formatPosition } from '../../contracts/push/position.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import { bools, int4s, int8s, type Statement, texts } from '../../services/postgres/pipeline.ts';
import type { Pushes } from '../projection.ts';

/** Gathers what the events of a batch push, each with its position in its data. */
export class PushBook implements Pushes {
  readonly wanted = true;
  readonly rows: PushRow[] = [];
  /** Which message each row shows and quotes, if it does. */
  readonly mids: (number | null)[] = [];
  readonly quoteMids: (number | null)[] = [];
  readonly takenBack = new Map<number, TakenBack>();
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

  add<Name extends PushName>(channel: string, event: Name, data: StoredData<Name>): void {
    const place = this.#place;
    if (place <= this.#quietUntil) return;
    const number = this.#number++;
    const position = formatPosition({ epoch: this.#epoch, place, number });
    this.rows.push({ channel, place, number, event, data: JSON.stringify({ ...data, position }) });
    const message = isMessage(event, data) ? data : undefined;
    const announced = isAnnouncement(event, data) ? announcementKey(data.id) : null;
    this.mids.push(message?.mid ?? announced);
    this.quoteMids.push(message?.quote_mid ?? null);
  }

  takeBack(mid: number, state: TakenBack): void {
    this.takenBack.set(mid, state);
  }
}

/** For read models that are made again: what they push was pushed before. */
export const noPushes: Pushes = { wanted: false, add: () => undefined, takeBack: () => undefined };

function isMessage(event: PushName, data: StoredData<PushName>): data is PushData<'message'> {
  return event === 'message' && 'mid' in data;
}

function isAnnouncement(event: PushName, data: StoredData<PushName>): data is PushData<'announcement'> {
  return event === 'announcement' && 'id' in data;
}

/** What writes a batch's pushes into the table `push`, and takes out of it what was taken back. */
export function writePushes(book: PushBook, batch: number): Statement[] {
  const { rows, mids, quoteMids, takenBack } = book;
  const statements: Statement[] = [];
  if (rows.length > 0) {
    statements.push({
      name: 'write push',
      text: `insert into pushes.push (place, number, channel, event, data, mid, quote_mid, batch)
        select given.*, $8::bigint
        from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) as given`,
      values: [
        texts(rows.map(({ place }) => place)),
        int4s(rows.map(({ number }) => number)),
        texts(rows.map(({ channel }) => channel)),
        texts(rows.map(({ event }) => event)),
        texts(rows.map(({ data }) => data)),
        int8s(mids),
        int8s(quoteMids),
        batch,
      ],
    });
  }
  if (takenBack.size > 0) statements.push(...takeOut(takenBack));
  return statements;
}

/**
 * A revoked message stays as message/get shows it. One that was deleted stays on nobody's channel: the
 * oldest row tells that there were others before it, so no row goes before its time.
 */
function takeOut(takenBack: ReadonlyMap<number, TakenBack>): Statement[] {
  const mids = int8s([...takenBack.keys()]);
  const deleted = bools([...takenBack.values()].map((state) => state === 'deleted'));
  const shown = texts([...takenBack.values()].map((state) => quotedContent(state, '')));
  return [
    {
      name: 'take back pushes',
      text: `update pushes.push p
           set channel = case when gone.deleted then '' else p.channel end,
               data = case when gone.deleted then '{}' else
                 (p.data::jsonb - '{quote_mid,quote_content}'::text[]
                   || jsonb_build_object('sub_type', 'notice', 'content', gone.shown))::text end
          from unnest($1::bigint[], $2::boolean[], $3::text[]) as gone (mid, deleted, shown)
         where p.mid = gone.mid and p.channel <> ''`,
      values: [mids, deleted, shown],
    },
    {
      name: 'take back quotes',
      text: `update pushes.push p
           set data = (p.data::jsonb || jsonb_build_object('quote_content', gone.shown))::text
          from unnest($1::bigint[], $2::text[]) as gone (mid, shown)
         where p.quote_mid = gone.mid and p.channel <> '' and p.data::jsonb ? 'quote_content'`,
      values: [mids, shown],
    },
  ];
}
