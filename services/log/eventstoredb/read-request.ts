import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ReadStreamOptions, StreamName } from '../log.ts';
import type { StoredPosition } from './position.ts';

export type ReadRequest = InstanceType<typeof streams.ReadReq>;
type Options = InstanceType<typeof streams.ReadReq.Options>;
type Direction = 'forwards' | 'backwards';

/** Which events a subscription is sent: those of streams or types whose names are like this. */
export interface Filter {
  readonly by: 'stream' | 'type';
  readonly names: { readonly prefixes: readonly string[] } | { readonly regex: string };
}

/** How many events a subscription searches at most before it sends what it found. */
const maxSearchedEvents = 256;

/** After how many such searches it says how far it is. */
const searchesPerReport = 4;

/** Reads a stream. */
export function streamRequest(stream: StreamName, options: ReadStreamOptions = {}): ReadRequest {
  const { direction = 'forwards', from, limit } = options;
  const chosen = new streams.ReadReq.Options.StreamOptions();
  const name = new shared.StreamIdentifier();
  name.setStreamName(Buffer.from(stream));
  chosen.setStreamIdentifier(name);
  if (from !== undefined) chosen.setRevision(String(Math.max(0, from)));
  else if (direction === 'forwards') chosen.setStart(new shared.Empty());
  else chosen.setEnd(new shared.Empty());
  return requestOf(reading(direction, limit).setStream(chosen));
}

/** Reads the whole log, the store's own streams included, from a position on, itself included. */
export function logRequest(direction: Direction, limit?: number, from?: StoredPosition): ReadRequest {
  const chosen = from === undefined ? edgeOf(direction) : allFrom(from);
  return requestOf(reading(direction, limit).setAll(chosen));
}

/** Follows the log after a position, by default from its start. */
export function subscriptionRequest(after: StoredPosition | undefined, { by, names }: Filter): ReadRequest {
  const expression = new streams.ReadReq.Options.FilterOptions.Expression();
  if ('regex' in names) expression.setRegex(names.regex);
  else expression.setPrefixList([...names.prefixes]);
  const filter = new streams.ReadReq.Options.FilterOptions();
  if (by === 'stream') filter.setStreamIdentifier(expression);
  else filter.setEventType(expression);
  filter.setMax(maxSearchedEvents);
  filter.setCheckpointintervalmultiplier(searchesPerReport);
  const options = new streams.ReadReq.Options();
  options.setSubscription(new streams.ReadReq.Options.SubscriptionOptions());
  options.setAll(after === undefined ? edgeOf('forwards') : allFrom(after));
  return requestOf(options.setFilter(filter));
}

function reading(direction: Direction, limit = Number.MAX_SAFE_INTEGER): Options {
  const options = new streams.ReadReq.Options();
  const { FORWARDS, BACKWARDS } = streams.ReadReq.Options.ReadDirection;
  options.setReadDirection(direction === 'forwards' ? FORWARDS : BACKWARDS);
  options.setCount(String(limit));
  return options.setNoFilter(new shared.Empty());
}

function edgeOf(direction: Direction) {
  const all = new streams.ReadReq.Options.AllOptions();
  return direction === 'forwards' ? all.setStart(new shared.Empty()) : all.setEnd(new shared.Empty());
}

function allFrom({ commit, prepare }: StoredPosition) {
  const position = new streams.ReadReq.Options.Position();
  position.setCommitPosition(String(commit));
  position.setPreparePosition(String(prepare));
  return new streams.ReadReq.Options.AllOptions().setPosition(position);
}

/** Links are not resolved, and ids are sent as text. */
function requestOf(options: Options): ReadRequest {
  const asText = new streams.ReadReq.Options.UUIDOption().setString(new shared.Empty());
  return new streams.ReadReq().setOptions(options.setUuidOption(asText).setResolveLinks(false));
}
