import { z } from 'zod';
import type { EventId, RecordedEvent, StreamName } from '../../log/log.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Hash, leafHash, sameHash } from './hashes.ts';
import { type Head, openHead } from './heads.ts';
import type { NoteVerifier } from './note.ts';
import { ParsedObject } from './parsed-object.ts';
import { rootByInclusion } from './proofs.ts';
import { textOf, treeEntryOf } from './tree-entry.ts';

/** An event as a proof carries it: without its position, which is that of one store. */
const ProvenEvent = z.object({
  id: z.string().transform((id) => id as EventId),
  stream: z.string().transform((stream) => stream as StreamName),
  revision: z.int().nonnegative(),
  type: z.string(),
  recorded: z.int(),
  data: ParsedObject,
  metadata: ParsedObject,
});
export type ProvenEvent = z.infer<typeof ProvenEvent>;

const firstLine = 'c2sp.org/tlog-proof@v1';
const format =
  /^c2sp\.org\/tlog-proof@v1\nextra ([A-Za-z0-9+/]+=*)\nindex (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n(.+)$/s;

/**
 * A proof that an event is in the log of a signed head (C2SP tlog-proof), with the event itself. To verify it,
 * nothing else is needed but the verifier key.
 * @throws Error if the event is not the one that the head was signed for
 */
export function proofFile(
  event: RecordedEvent,
  { index, proof, head }: { readonly index: number; readonly proof: readonly Hash[]; readonly head: Head },
): string {
  mustLeadTo(head, event, index, proof);
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('');
  return `${firstLine}\nextra ${extraOf(event)}\nindex ${index}\n${hashes}\n${head.note}`;
}

/** What a proof shows. */
export interface Proven {
  readonly event: ProvenEvent;
  /** Its number in the log. */
  readonly index: number;
  /** How many events the log had when the head was signed. */
  readonly size: number;
  readonly origin: string;
}

/** Verifies a proof. @throws Error that says what is wrong, in words for who has it */
export function verifyProofFile(text: string, verifier: NoteVerifier): Proven {
  const [, extra = '', number = '', hashes = '', note = ''] = format.exec(text) ?? [];
  if (note === '') throw new Error('this is no proof that npm run verify -- --event made');
  const event = eventIn(extra);
  const index = Number(number);
  const head = openHead(note, verifier);
  const proof = hashes
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line, 'base64'));
  mustLeadTo(head, event, index, proof);
  return { event, index, size: head.size, origin: head.origin };
}

/** @throws Error if a proof does not lead from the event to the root of the head */
function mustLeadTo(
  { size, root }: Checkpoint,
  event: ProvenEvent,
  index: number,
  proof: readonly Hash[],
): void {
  const found = rootByInclusion(leafHash(textOf(treeEntryOf(event))), index, size, proof);
  if (found && sameHash(found, root)) return;
  throw new Error('the event is not the one that the head was signed for');
}

/** The event as a proof carries it. */
function extraOf({ id, stream, revision, type, recorded, data, metadata }: ProvenEvent): string {
  const carried: ProvenEvent = { id, stream, revision, type, recorded, data, metadata };
  return Buffer.from(JSON.stringify(carried)).toString('base64');
}

/** @throws Error if there is no event, or more than the proof is of: its hashes say nothing of what reading it leaves out */
function eventIn(extra: string): ProvenEvent {
  const event = parsed(extra);
  if (extraOf(event) === extra) return event;
  throw new Error(
    'the event in the proof is not as npm run verify -- --event writes it: it holds what reading it leaves out, such as the ' +
      'first of two values of one key or a key that no event has, or was written by another program',
  );
}

function parsed(extra: string): ProvenEvent {
  try {
    return ProvenEvent.parse(JSON.parse(Buffer.from(extra, 'base64').toString()));
  } catch (cause) {
    throw new Error('the event in the proof is broken', { cause });
  }
}
