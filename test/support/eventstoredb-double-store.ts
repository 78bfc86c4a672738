import shared from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import protobufAny from 'google-protobuf/google/protobuf/any_pb.js';

type AppendRequest = InstanceType<typeof streams.BatchAppendReq>;
type AppendResponse = InstanceType<typeof streams.BatchAppendResp>;
type ReadResponse = InstanceType<typeof streams.ReadResp>;

export interface DoubleRecord {
  readonly stream: string;
  readonly revision: number;
  /** Its place in the file, in bytes as the real server has it. */
  readonly position: number;
  readonly id: string;
  readonly proposal: InstanceType<typeof streams.BatchAppendReq.ProposedMessage>;
  readonly created: number;
}

const bytesOfARecord = 100;

/** What the double holds: records, and how appends are judged as the real server judges them. */
export class DoubleStore {
  readonly records: DoubleRecord[] = [];
  readonly #streams = new Map<string, DoubleRecord[]>();
  /** Ids of late, by stream; they do not survive a restart. */
  #recent = new Map<string, DoubleRecord>();
  readonly #listeners = new Set<(record: DoubleRecord) => void>();

  /** Calls `listener` with each record that is stored. */
  onStored(listener: (record: DoubleRecord) => void): void {
    this.#listeners.add(listener);
  }

  stream(name: string): readonly DoubleRecord[] {
    return this.#streams.get(name) ?? [];
  }

  forgetRecentIds(): void {
    this.#recent = new Map();
  }

  /** Holds only the first records from now on, as a store that was restored from a backup. */
  restore(count: number): void {
    this.hold(this.records.slice(0, count));
  }

  /** Holds these records from now on, as a store whose files were changed by hand. */
  hold(records: readonly DoubleRecord[]): void {
    this.records.splice(0, this.records.length, ...records);
    this.#streams.clear();
    for (const record of this.records) {
      this.#streams.set(record.stream, [...this.stream(record.stream), record]);
    }
    this.forgetRecentIds();
  }

  /** Stores the events, recognises that they are stored, or finds a conflict. */
  append(request: AppendRequest): AppendResponse {
    const options = request.getOptions();
    const name = nameOf(options?.getStreamIdentifier());
    const proposals = request.getProposedMessagesList();
    const stream = this.stream(name);
    const last = stream.length - 1;
    const any = options?.hasAny() ?? false;
    const expected = options?.hasNoStream() ? -1 : Number(options?.getStreamPosition());
    const ids = proposals.map((proposal) => proposal.getId()?.getString().toLowerCase() ?? '');
    const existing = any
      ? ids.map((id) => this.#recent.get(`${name} ${id}`))
      : ids.map((id, index) => [stream[expected + 1 + index]].find((record) => record?.id === id));
    const repeated = any || expected < last;
    if (repeated && existing.every((record) => record !== undefined)) return success(existing.at(-1));
    if (repeated && existing[0] !== undefined) return conflict(last);
    if (!any && expected !== last) return conflict(last);
    const stored = proposals.map((proposal, index) => this.#store(name, ids[index] ?? '', proposal));
    return success(stored.at(-1));
  }

  #store(stream: string, id: string, proposal: DoubleRecord['proposal']): DoubleRecord {
    const records = this.#streams.get(stream) ?? [];
    const position = (this.records.length + 1) * bytesOfARecord;
    const record = { stream, revision: records.length, position, id, proposal, created: Date.now() };
    this.#streams.set(stream, records);
    records.push(record);
    this.records.push(record);
    this.#recent.set(`${stream} ${id}`, record);
    for (const notify of this.#listeners) notify(record);
    return record;
  }
}

export function nameOf(identifier: InstanceType<typeof shared.StreamIdentifier> | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();
}

export function identifierOf(name: string): InstanceType<typeof shared.StreamIdentifier> {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(name));
  return identifier;
}

function success(last: DoubleRecord | undefined): AppendResponse {
  const position = new shared.AllStreamPosition();
  position.setCommitPosition(String(last?.position));
  position.setPreparePosition(String(last?.position));
  const answer = new streams.BatchAppendResp.Success();
  answer.setCurrentRevision(String(last?.revision));
  answer.setPosition(position);
  return new streams.BatchAppendResp().setSuccess(answer);
}

function conflict(last: number): AppendResponse {
  const details = new shared.WrongExpectedVersion();
  if (last >= 0) details.setCurrentStreamRevision(String(last));
  return failure(
    'WrongExpectedVersion',
    'event_store.client.WrongExpectedVersion',
    details.serializeBinary(),
  );
}

/** An answer that is an error, with the type of its details. */
export function failure(
  message: string,
  type: string,
  details: Uint8Array = new Uint8Array(),
): AppendResponse {
  const packed = new protobufAny.Any();
  packed.pack(new Uint8Array(details), type);
  const error = new status.Status();
  error.setMessage(message);
  error.setDetails(packed);
  return new streams.BatchAppendResp().setError(error);
}

/** A record as it is sent to readers. */
export function eventOf(record: DoubleRecord): ReadResponse {
  const event = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(record.id);
  event.setId(id);
  event.setStreamIdentifier(identifierOf(record.stream));
  event.setStreamRevision(String(record.revision));
  event.setCommitPosition(String(record.position));
  event.setPreparePosition(String(record.position));
  const metadata = record.proposal.getMetadataMap();
  for (const key of ['type', 'content-type']) event.getMetadataMap().set(key, metadata.get(key) ?? '');
  event.getMetadataMap().set('created', String(BigInt(record.created) * 10_000n));
  event.setData(record.proposal.getData());
  event.setCustomMetadata(record.proposal.getCustomMetadata());
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(String(record.position));
  return new streams.ReadResp().setEvent(read);
}
