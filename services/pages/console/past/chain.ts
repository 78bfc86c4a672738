import { ask, type ShownEvent } from '../server-api.ts';

/** An event and what it caused. */
export interface Link {
  readonly event: ShownEvent;
  readonly effects: readonly Link[];
}

/** As many as one page of events has: a request seldom has more. */
const maxEvents = 200;

/**
 * The events of an event's request as a chain, each under the event that caused it; with what the event caused in other
 * requests. Those that the request itself caused come first.
 * @throws CallRefused; TypeError
 */
export async function chainOf(event: ShownEvent): Promise<Link[]> {
  const limits = { reverse: 0, limit: maxEvents } as const;
  const [request, effects] = await Promise.all([
    event.correlation === null
      ? undefined
      : ask('/audit/events', { correlation: event.correlation, ...limits }),
    ask('/audit/events', { caused_by: event.id, ...limits }),
  ]);
  const all = new Map<string, ShownEvent>();
  for (const one of [...(request?.events ?? []), ...effects.events, event]) {
    const key = `${one.stream}@${one.revision}`;
    if (!all.has(key)) all.set(key, one);
  }
  return linked([...all.values()]);
}

/** Puts each event under its cause, if that is among them. */
export function linked(events: readonly ShownEvent[]): Link[] {
  const ids = new Set(events.map(({ id }) => id));
  const isRoot = ({ id, causation }: ShownEvent) =>
    causation === null || causation === id || !ids.has(causation);
  const under = (cause: ShownEvent, above: ReadonlySet<string>): Link => {
    const path = new Set([...above, cause.id]);
    // A cause is never its own effect, whatever metadata say.
    const effects = events.filter(({ id, causation }) => causation === cause.id && !path.has(id));
    return { event: cause, effects: effects.map((effect) => under(effect, path)) };
  };
  return events.filter(isRoot).map((root) => under(root, new Set()));
}
