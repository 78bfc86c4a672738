import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import rpc from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import protobufAny from 'google-protobuf/google/protobuf/any_pb.js';
import { describe, expect, it } from 'vitest';
import { encodeAppend, encodeProposals } from '../../services/log/eventstoredb/append-message.ts';
import { decodeAppendAnswer, responseOf } from '../../services/log/eventstoredb/append-response.ts';
import {
  logRequest,
  streamRequest,
  subscriptionRequest,
} from '../../services/log/eventstoredb/read-request.ts';
import type { EventId, ExpectedRevision, Json, StreamName } from '../../services/log/log.ts';

const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((value) => value.isWellFormed() && !value.includes('\0') && !value.startsWith('$'));
const revision = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

/** What the client's own decoder reads of an append. */
function decodedAppend(stream: string, expected: ExpectedRevision, content: string, id = randomUUID()) {
  const data: Json = { content };
  const event = { id: id as EventId, type: 'MessageSent', data, metadata: { time: 5 } };
  const proposals = encodeProposals(
    stream as StreamName,
    [event, { ...event, id: randomUUID() as EventId }],
    'p-7',
  );
  const parts = encodeAppend(id, stream as StreamName, expected, proposals);
  return streams.BatchAppendReq.deserializeBinary(Buffer.concat(parts));
}

describe('an append to EventStoreDB', () => {
  it('is encoded as the client encodes it, whatever its texts and numbers', () => {
    fc.assert(
      fc.property(
        name,
        fc.oneof(revision, fc.constantFrom('any' as const, 'none' as const)),
        text,
        (stream, expected, content) => {
          const id = randomUUID();
          const append = decodedAppend(stream, expected, content, id);
          expect(append.getCorrelationId()?.getString()).toBe(id);
          expect(append.getIsFinal()).toBe(true);
          const options = append.getOptions();
          expect(Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).toBe(
            stream,
          );
          expect([options?.hasAny(), options?.hasNoStream(), options?.getStreamPosition()]).toEqual([
            expected === 'any',
            expected === 'none',
            typeof expected === 'number' ? String(expected) : '0',
          ]);
          const [first, second, ...others] = append.getProposedMessagesList();
          expect(others).toEqual([]);
          expect(first?.getId()?.getString()).toBe(id);
          expect(second?.getId()?.getString()).not.toBe(id);
          expect(Object.fromEntries(first?.getMetadataMap().toArray() ?? [])).toEqual({
            type: 'MessageSent',
            'content-type': 'application/json',
          });
          expect(JSON.parse(Buffer.from(first?.getData_asU8() ?? []).toString())).toEqual({ content });
          expect(JSON.parse(Buffer.from(first?.getCustomMetadata_asU8() ?? []).toString())).toEqual({
            time: 5,
            $append: 'p-7',
          });
        },
      ),
    );
  });

  it('is refused before it is sent if the server would refuse its size with metadata', () => {
    const event = {
      id: randomUUID() as EventId,
      type: 'T',
      data: {},
      metadata: { long: 'x'.repeat(1_040_000) },
    };
    expect(() => encodeProposals('s' as StreamName, [event], 'p-7')).toThrow('the limit is 1040000');
  });
});

describe('an answer of EventStoreDB to an append', () => {
  const id = '01941f2a-2b38-7000-a6b8-00000000f003';
  const answer = () => new streams.BatchAppendResp().setCorrelationId(new shared.UUID().setString(id));
  const decoded = (response: InstanceType<typeof streams.BatchAppendResp>) =>
    decodeAppendAnswer(Buffer.from(response.serializeBinary()));
  const refused = (kind: string, code: number, details: Uint8Array = new Uint8Array()) => {
    const any = new protobufAny.Any();
    any.setTypeUrl(`type.googleapis.com/${kind}`);
    any.setValue(details);
    return decoded(answer().setError(new rpc.Status().setCode(code).setMessage('why').setDetails(any)));
  };

  it('gives revision and position, whatever their numbers', () => {
    const uint64 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(revision, uint64, uint64, (last, commit, prepare) => {
        const position = new shared.AllStreamPosition();
        position.setCommitPosition(String(commit)).setPreparePosition(String(prepare));
        const success = new streams.BatchAppendResp.Success();
        success.setCurrentRevision(String(last)).setPosition(position);
        expect(responseOf(decoded(answer().setSuccess(success)))).toEqual({
          stored: true,
          revision: last,
          position: `${String(commit).padStart(19, '0')}-${String(prepare).padStart(19, '0')}`,
        });
      }),
    );
  });

  it('names its append by text or by two halves', () => {
    expect(decoded(answer()).attempt).toBe(id);
    const halves = new shared.UUID.Structured();
    const hex = id.replaceAll('-', '');
    halves.setMostSignificantBits(String(BigInt.asIntN(64, BigInt(`0x${hex.slice(0, 16)}`))));
    halves.setLeastSignificantBits(String(BigInt.asIntN(64, BigInt(`0x${hex.slice(16)}`))));
    const structured = new streams.BatchAppendResp().setCorrelationId(
      new shared.UUID().setStructured(halves),
    );
    expect(decoded(structured).attempt).toBe(id);
  });

  it('gives the present revision after a conflict', () => {
    const conflict = new shared.WrongExpectedVersion();
    const kind = 'event_store.client.WrongExpectedVersion';
    conflict.setCurrentStreamRevision('7');
    expect(responseOf(refused(kind, 3, conflict.serializeBinary()))).toEqual({ stored: false, actual: 7 });
    const empty = new shared.WrongExpectedVersion();
    expect(responseOf(refused(kind, 3, empty.serializeBinary()))).toEqual({ stored: false, actual: 'none' });
  });

  it.each([
    ['google.protobuf.Empty', 0, 'unsent'],
    ['google.protobuf.Empty', 13, 'doubtful'],
    ['event_store.client.Timeout', 4, 'doubtful'],
    ['event_store.client.AccessDenied', 7, 'refused'],
    ['event_store.client.StreamDeleted', 9, 'refused'],
  ])('tells of %s with code %i that it is %s', (kind, code, expected) => {
    expect(() => responseOf(refused(kind, code))).toThrow(expect.objectContaining({ kind: expected }));
  });
});

describe('a request to read EventStoreDB', () => {
  const optionsOf = (bytes: Uint8Array) => streams.ReadReq.deserializeBinary(bytes).getOptions()?.toObject();
  const ids = { structured: undefined, string: {} };

  it.each([
    [streamRequest('user-1' as StreamName), { readDirection: 0, stream: { start: {} } }],
    [
      streamRequest('user-1' as StreamName, { direction: 'backwards' }),
      { readDirection: 1, stream: { end: {} } },
    ],
    [streamRequest('user-1' as StreamName, { from: 9, limit: 2 }), { count: '2', stream: { revision: '9' } }],
    [logRequest('backwards', 1), { readDirection: 1, count: '1', all: { end: {} } }],
    [
      logRequest('forwards', undefined, { commit: 2n ** 63n - 1n, prepare: 3n }),
      { all: { position: { commitPosition: '9223372036854775807', preparePosition: '3' } } },
    ],
  ])('asks once, without a filter (%#)', (bytes, expected) => {
    const options = optionsOf(bytes);
    expect(options).toMatchObject({ ...expected, noFilter: {}, resolveLinks: false, uuidOption: ids });
    expect(options?.subscription).toBeUndefined();
    expect(options?.filter).toBeUndefined();
  });

  it('asks for a subscription to streams by prefixes or by a regular expression, or to types', () => {
    const some = subscriptionRequest(undefined, { by: 'stream', names: { prefixes: ['user-', 'group-'] } });
    expect(optionsOf(some)).toMatchObject({
      all: { start: {} },
      subscription: {},
      filter: {
        streamIdentifier: { prefixList: ['user-', 'group-'] },
        max: 256,
        checkpointintervalmultiplier: 4,
      },
      uuidOption: ids,
    });
    const all = subscriptionRequest({ commit: 5n, prepare: 4n }, { by: 'stream', names: { regex: '^[^$]' } });
    expect(optionsOf(all)).toMatchObject({
      all: { position: { commitPosition: '5', preparePosition: '4' } },
      filter: { streamIdentifier: { regex: '^[^$]' } },
    });
    const types = subscriptionRequest(undefined, { by: 'type', names: { prefixes: ['$metadata'] } });
    expect(optionsOf(types)?.filter).toMatchObject({ eventType: { prefixList: ['$metadata'] } });
  });
});
