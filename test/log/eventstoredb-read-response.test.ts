import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storedEventOf } from '../../services/log/eventstoredb/event.ts';
import { decodeReadResponse } from '../../services/log/eventstoredb/read-response.ts';

const ReadResp = streams.ReadResp;
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

interface Given {
  readonly stream: string;
  readonly revision: bigint;
  readonly commit: bigint;
  readonly prepare: bigint;
  readonly type: string;
  readonly contentType: string;
  readonly createdMs: number;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

const simple: Given = {
  stream: 'user-1',
  revision: 3n,
  commit: 500n,
  prepare: 499n,
  type: 'UserRegistered',
  contentType: 'application/json',
  createdMs: 1_700_000_000_123,
  data: Buffer.from('{"uid":1}'),
  metadata: Buffer.from('{"time":5,"$append":"p-7"}'),
};
const id = '01941f2a-2b38-7000-a6b8-000000000003';

/** The bytes that the client's own encoder makes of an event. */
function bytesOf(given: Given): Buffer {
  const event = new ReadResp.ReadEvent.RecordedEvent();
  event.setId(new shared.UUID().setString(id));
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from(given.stream));
  event.setStreamIdentifier(name);
  event.setStreamRevision(String(given.revision));
  event.setCommitPosition(String(given.commit));
  event.setPreparePosition(String(given.prepare));
  const properties = event.getMetadataMap();
  properties.set('type', given.type).set('content-type', given.contentType);
  properties.set('created', String(BigInt(given.createdMs) * 10_000n + 9_999n));
  event.setData(given.data);
  event.setCustomMetadata(given.metadata);
  const read = new ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(String(given.commit));
  return Buffer.from(new ReadResp().setEvent(read).serializeBinary());
}

function decoded(given: Partial<Given>) {
  const response = decodeReadResponse(bytesOf({ ...simple, ...given }));
  if (response.kind !== 'event') throw new Error('no event');
  return response.event;
}

describe('a response of EventStoreDB to a read', () => {
  it('is decoded to what was encoded, whatever its numbers, texts and bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const text = fc.string({ unit: 'binary', minLength: 1 }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(
        fc.record({
          ...{ stream: text, type: text, data: bytes, metadata: bytes },
          ...{ revision: uint64, commit: uint64, prepare: uint64 },
          createdMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
        }),
        (given) => {
          const { stream, type, createdMs: recorded, revision } = given;
          const position = `${String(given.commit).padStart(19, '0')}-${String(given.prepare).padStart(19, '0')}`;
          const event = decoded(given);
          expect(event).toMatchObject({ id, stream, type, position, isJson: true });
          expect(event.revision).toBe(Number(revision));
          expect(event.recorded).toBe(recorded);
          expect([event.data, event.metadata].map((some) => [...some])).toEqual([
            [...given.data],
            [...given.metadata],
          ]);
        },
      ),
    );
  });

  it('says how far a subscription has searched, that it has caught up, and that there is no such stream', () => {
    const encoded = (response: InstanceType<typeof ReadResp>) => Buffer.from(response.serializeBinary());
    const checkpoint = new ReadResp.Checkpoint()
      .setCommitPosition('18446744073709551615')
      .setPreparePosition('7');
    expect(decodeReadResponse(encoded(new ReadResp().setCheckpoint(checkpoint)))).toEqual({
      kind: 'searched',
      position: '18446744073709551615-0000000000000000007',
    });
    const caughtUp = new ReadResp().setCaughtUp(new ReadResp.CaughtUp());
    expect(decodeReadResponse(encoded(caughtUp))).toEqual({ kind: 'caught up' });
    const missing = new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound());
    expect(decodeReadResponse(encoded(missing))).toEqual({ kind: 'nothing' });
    const confirmed = new ReadResp.SubscriptionConfirmation().setSubscriptionId('some');
    expect(decodeReadResponse(encoded(new ReadResp().setConfirmation(confirmed)))).toEqual({
      kind: 'nothing',
    });
  });

  it('is refused if it is cut off', () => {
    const whole = bytesOf(simple);
    expect(() => decodeReadResponse(whole.subarray(0, whole.length - 5))).toThrow();
  });

  it('becomes an event without the key that tells which append stored it', () => {
    expect(storedEventOf(decoded({}))).toMatchObject({
      origin: 'p-7',
      record: {
        data: { uid: 1 },
        metadata: { time: 5 },
        raw: { data: '{"uid":1}', metadata: '{"time":5}' },
      },
    });
    expect(storedEventOf(decoded({}))?.record.metadata).not.toHaveProperty('$append');
    const alone = storedEventOf(decoded({ metadata: Buffer.from('{"$append":"p-8"}') }));
    expect(alone).toMatchObject({ origin: 'p-8', record: { raw: { metadata: '{}' } } });
    const between = storedEventOf(decoded({ metadata: Buffer.from('{"$append":"p-9","time":5}') }));
    expect(between).toMatchObject({
      origin: 'p-9',
      record: { raw: { metadata: '{"$append":"p-9","time":5}' } },
    });
    expect(between?.record.metadata).toEqual({ time: 5 });
  });

  it.each<[string, Partial<Given>, Record<string, unknown>]>([
    [
      'bytes that are no JSON',
      { contentType: 'application/octet-stream', data: Buffer.from('ab') },
      { data: { base64: 'YWI=' } },
    ],
    ['JSON that is cut off', { data: Buffer.from('{"uid":') }, { data: { value: '{"uid":' } }],
    ['no metadata', { metadata: Buffer.alloc(0) }, { metadata: {}, raw: { metadata: '' } }],
    ['metadata that are no JSON', { metadata: Buffer.from('ab') }, { metadata: { base64: 'YWI=' } }],
  ])('becomes an event also with %s, which another program wrote', (_what, given, record) => {
    expect(storedEventOf(decoded(given))?.record).toMatchObject(record);
  });

  it('is no event of the log if it is in a stream of the server or ends a stream for ever', () => {
    expect(storedEventOf(decoded({ stream: '$settings' }))).toBeUndefined();
    expect(storedEventOf(decoded({ type: '$streamDeleted', revision: 2n ** 63n - 1n }))).toBeUndefined();
  });

  it('is an event of the log if somebody appended it under the type of what ends a stream', () => {
    expect(storedEventOf(decoded({ type: '$streamDeleted' }))?.record).toMatchObject({ revision: 3 });
  });
});
