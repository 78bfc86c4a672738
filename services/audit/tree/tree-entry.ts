import { hash } from 'node:crypto';
import type { RecordedEvent } from '../../log/log.ts';
import { auditedType } from './audited-type.ts';
import { canonicalJson } from './canonical-json.ts';

/** What the tree holds of an event: nothing of its content but a digest, and the same in any store. */
export interface TreeEntry extends Pick<RecordedEvent, 'id' | 'recorded' | 'revision' | 'stream' | 'type'> {
  /** The SHA-256 of the canonical JSON of data and metadata, in hex. */
  readonly digest: string;
}

type Content = Pick<RecordedEvent, 'data' | 'metadata'>;

/** The digest of an event's data and metadata. */
export function digestOf(content: Content): string {
  return digestOfText(canonicalText(content));
}

/** The canonical JSON of an event's data and metadata. */
export function canonicalText({ data, metadata }: Content): string {
  return `{"data":${canonicalJson(data)},"metadata":${canonicalJson(metadata)}}`;
}

function digestOfText(text: string): string {
  return hash('sha256', text, 'hex');
}

/** The entry of an event. @param canonical its canonical text, if that is known already */
export function treeEntryOf(
  record: Omit<RecordedEvent, 'position' | 'raw'>,
  canonical: string = canonicalText(record),
): TreeEntry {
  const { id, recorded, revision, stream, type } = record;
  return { digest: digestOfText(canonical), id, recorded, revision, stream, type: auditedType(type) };
}

/** An entry as the tree hashes it: canonical JSON, in UTF-8 far below the 64 KB that a tile has for one (`auditedType`). */
export function textOf({ digest, id, recorded, revision, stream, type }: TreeEntry): string {
  return (
    `{"digest":"${digest}","id":"${id}","recorded":${recorded},"revision":${revision},` +
    `"stream":${JSON.stringify(stream)},"type":${JSON.stringify(type)}}`
  );
}
