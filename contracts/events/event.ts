import { z } from 'zod';

/** Marks a field that tells something of a person: names, phones, texts, pictures. */
const personalFields = z.registry<{ readonly personal: true }>();

/** Marks `schema` as personal, so that the codec can treat it apart. */
export function personal<Schema extends z.ZodType>(schema: Schema): Schema {
  personalFields.add(schema, { personal: true });
  return schema;
}

/** Makes an event's data of one version into those of the next. */
export type Upcast = (data: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/** One kind of event: its name, the version written today, and how older data are lifted to it. */
export interface EventDefinition<Type extends string = string, Data extends z.ZodObject = z.ZodObject> {
  readonly type: Type;
  readonly version: number;
  /** The data of the version written today. */
  readonly data: Data;
  /** The first lifts version 1 to 2, the next one 2 to 3, and so on. */
  readonly upcasts: readonly Upcast[];
}

/**
 * Defines an event. What was recorded once is read for ever: a change of `data` needs an upcast
 * from the version before, which makes the present version one greater (CONTRIBUTING.md, Add or change an event).
 */
export function event<const Type extends string, Data extends z.ZodObject>(
  type: Type,
  data: Data,
  upcasts: readonly Upcast[] = [],
): EventDefinition<Type, Data> {
  return { type, version: upcasts.length + 1, data, upcasts };
}

/** Lifts data that were written under an older version to the present one. */
export function lift(
  { upcasts }: Pick<EventDefinition, 'upcasts'>,
  version: number,
  data: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return upcasts.slice(version - 1).reduce((lifted, upcast) => upcast(lifted), data);
}

/** The union of events that a list of definitions describes: `{ type, data }`. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer Type, infer Data>
    ? { readonly type: Type; readonly data: Readonly<z.infer<Data>> }
    : never;

/** What every event carries beside its data. Fields are only ever added, and may be absent in older events. */
export const EventMetadata = z.object({
  /** When it happened, in milliseconds since 1970. */
  time: z.int().nonnegative(),
  /** Who caused it: a uid, `server` for the holder of the server's key or an operator, `nobody` without either. */
  actor: z.string(),
  /** Of `server`: the APP_KEY that was shown. Absent for an operator, who works on the installation itself: see `operator`. */
  key: z.string().optional(),
  /** Of `server`: the uid for whom it acted (`login_uid`). */
  for: z.int().positive().optional(),
  /** Of a uid: which of their logins it was, by `sessionOf` of its token's hash. */
  session: z.string().optional(),
  /** Where the request came from, as much of it as the setting `audit_address` keeps. */
  address: z.string().optional(),
  /** Of an operator's command: the user of the operating system and the host, as `root@chat-1`. */
  operator: z.string().optional(),
  version: z.int().positive(),
  /** The id of the request, which the answer carried as `X-Request-Id`. */
  $correlationId: z.string(),
  /** What caused it: the event that was answered automatically, else the request. */
  $causationId: z.string(),
});
export type EventMetadata = z.infer<typeof EventMetadata>;
