import type { ConversationId } from '../../contracts/ids.ts';
import { quotedContent, type TakenBack } from '../../contracts/message-texts.ts';
import { announcementKey } from '../../contracts/push/announcement.ts';
import type { PushData, PushName, StoredData } from '../../contracts/push/index.ts';
import { formatPosition } from '../../contracts/push/position.ts';
import type { PushRow } from '../../contracts/push/row.ts';
import { rowsSource, rowsSuffix } from '../../services/postgres/parameter-rows.ts';
import { bools, int4s, int8s, type Statement, texts } from '../../services/postgres/pipeline.ts';
import type { MessageCopy, Pushes } from '../projection.ts';
import { once } from '../store/statements.ts';

/** How the pushes of a batch are made. */
export interface PushOptions {
  /** The epoch of the read models. */
  readonly epoch: string;
  /** Events up to this position push nothing: their pushes were made before. */
  readonly after: string;
  /**
   * Whether a message's push is stored as one row that names the message, and else as a row with its whole text for
   * each channel, as programs of the version before read it.
   */
  readonly namesMessages: boolean;
}

/** A row of `pushes.push`. */
interface StoredRow extends PushRow {
  /** Which message it shows and quotes, if it does. */
  readonly mid: number | null;
  readonly quoteMid: number | null;
}

/** The data of a row that names its message, or is on nobody's channel. */
const noData = '{}';

/** Gathers what the events of a batch push, each with its position in its data. */
export class PushBook implements Pushes {
  readonly wanted = true;
  /** As they are announced. */
  readonly rows: PushRow[] = [];
  /** As they are stored. */
  readonly stored: StoredRow[] = [];
  readonly takenBack = new Map<number, TakenBack>();
  readonly #options: PushOptions;
  #place = '';
  #number = 0;
  #request: string | undefined;

  constructor(options: PushOptions) {
    this.#options = options;
  }

  /**
   * Begins the pushes of the event at `place`.
   * @param request which caused it, if requests are traced
   */
  open(place: string, request?: string): void {
    this.#place = place;
    this.#number = 0;
    this.#request = request;
  }

  add<Name extends PushName>(channel: string, event: Name, data: StoredData<Name>): void {
    if (this.#place <= this.#options.after) return;
    const row = this.#row(channel, this.#number++, event, data);
    const message = isMessage(event, data) ? data : undefined;
    const announced = isAnnouncement(event, data) ? announcementKey(data.id) : null;
    this.rows.push(row);
    this.stored.push({ ...row, mid: message?.mid ?? announced, quoteMid: message?.quote_mid ?? null });
  }

  addMessage(conversation: ConversationId, copies: readonly MessageCopy[]): void {
    const { after, namesMessages } = this.#options;
    const [first] = copies;
    if (!namesMessages) {
      for (const { channel, data } of copies) this.add(channel, 'message', data);
    } else if (first !== undefined && this.#place > after) {
      // All copies have the number of the one row.
      const number = this.#number++;
      for (const { channel, data } of copies) this.rows.push(this.#row(channel, number, 'message', data));
      const named = { channel: conversation, place: this.#place, number, event: 'message', data: noData };
      this.stored.push({ ...this.#traced(named), mid: first.data.mid, quoteMid: null });
    }
  }

  #row<Name extends PushName>(channel: string, number: number, event: Name, data: StoredData<Name>): PushRow {
    const place = this.#place;
    const position = formatPosition({ epoch: this.#options.epoch, place, number });
    return this.#traced({ channel, place, number, event, data: JSON.stringify({ ...data, position }) });
  }

  #traced(row: PushRow): PushRow {
    return this.#request === undefined ? row : { ...row, request: this.#request };
  }

  takeBack(mid: number, state: TakenBack): void {
    this.takenBack.set(mid, state);
  }
}

/** For read models that are made again: what they push was pushed before. */
export const noPushes: Pushes = {
  wanted: false,
  add: () => undefined,
  addMessage: () => undefined,
  takeBack: () => undefined,
};

function isMessage(event: PushName, data: StoredData<PushName>): data is PushData<'message'> {
  return event === 'message' && 'mid' in data;
}

function isAnnouncement(event: PushName, data: StoredData<PushName>): data is PushData<'announcement'> {
  return event === 'announcement' && 'id' in data;
}

/** The types of the arrays that carry the columns of new rows. */
const pushArrays = ['text[]', 'integer[]', 'text[]', 'text[]', 'text[]', 'bigint[]', 'bigint[]', 'text[]'];

function insertion(count: number): string {
  return `insert into pushes.push (place, number, channel, event, data, mid, quote_mid, request, batch)
    select given.*, $9::bigint from ${rowsSource(pushArrays, count)} as given`;
}

/** What writes a batch's pushes into the table `push`, and takes out of it what was taken back. */
export function writePushes(book: PushBook, batch: number): Statement[] {
  const { stored, takenBack } = book;
  const statements: Statement[] = [];
  if (stored.length > 0) {
    const name = `write push${rowsSuffix(stored.length)}`;
    statements.push({
      name,
      text: once(name, () => insertion(stored.length)),
      values: [
        texts(stored.map(({ place }) => place)),
        int4s(stored.map(({ number }) => number)),
        texts(stored.map(({ channel }) => channel)),
        texts(stored.map(({ event }) => event)),
        texts(stored.map(({ data }) => data)),
        int8s(stored.map(({ mid }) => mid)),
        int8s(stored.map(({ quoteMid }) => quoteMid)),
        texts(stored.map(({ request = null }) => request)),
        batch,
      ],
    });
  }
  if (takenBack.size > 0) statements.push(...takeOut(takenBack));
  return statements;
}

/**
 * Of rows with their text: a row that names its message shows what became of that. A revoked message stays as message/get
 * shows it. One that was deleted stays on nobody's channel: the oldest row tells that there were others before it, so no
 * row goes before its time.
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
               data = case when gone.deleted then '${noData}' else
                 (p.data::jsonb - '{quote_mid,quote_content}'::text[]
                   || jsonb_build_object('sub_type', 'notice', 'content', gone.shown))::text end
          from unnest($1::bigint[], $2::boolean[], $3::text[]) as gone (mid, deleted, shown)
         where p.mid = gone.mid and p.data <> '${noData}'`,
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
