import type { DomainEvent } from '../../contracts/events/index.ts';
import type { EventId } from '../../services/log/log.ts';
import type { AuditedLog } from './auditing.ts';
import type { DoubleStore } from './eventstoredb-double-store.ts';

/** Appends an event to a double of EventStoreDB under an id that its stream has, as who names a revision can. */
export async function appendUnder(
  world: AuditedLog & { readonly store: DoubleStore },
  id: EventId,
  event: DomainEvent,
): Promise<void> {
  await world.append(event, { correlation: 'later' });
  const { records } = world.store;
  world.store.hold(records.map((record, index) => (index < records.length - 1 ? record : { ...record, id })));
}
