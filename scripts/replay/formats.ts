import type { CurrentNames } from '../../services/audit/events/names.ts';
import type { RecordedEvent } from '../../services/log/log.ts';
import { Csv } from './csv.ts';
import { Ndjson } from './ndjson.ts';
import { Table } from './table.ts';

export const formatNames = ['table', 'ndjson', 'csv'] as const;
export type FormatName = (typeof formatNames)[number];

/** How events are written, one line each. */
export interface Format {
  /** The first line, if there is one. */
  readonly heading: string;
  /** @param skipped why an operator decided to skip the event */
  line(record: RecordedEvent, skipped: string | undefined): string | Promise<string>;
}

/** @param everyName whether the present names of all people and groups of an event are shown */
export function formatOf(name: FormatName, names: CurrentNames, everyName: boolean): Format {
  if (name === 'table') return new Table(names, everyName);
  const shown = everyName ? names : undefined;
  return name === 'csv' ? new Csv(shown) : new Ndjson(shown);
}
