import { z } from 'zod';

/** Marks a field that tells something of a person: names, phones, texts, pictures. */
export const personalFields = z.registry<{ readonly personal: true }>();

/** Marks `schema` as personal, so that the codec can treat it apart. */
export function personal<Schema extends z.ZodType>(schema: Schema): Schema {
  personalFields.add(schema, { personal: true });
  return schema;
}

/** One kind of event: its name, the version written today, and how older data are lifted to it. */
export interface EventDefinition<Type extends string = string, Data extends z.ZodObject = z.ZodObject> {
  readonly type: Type;
  readonly version: number;
  readonly data: Data;
  /** For each older version n, a function from its data to that of version n + 1. */
  readonly upcasts: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>;
}

/** Defines version 1 of an event. */
export function event<const Type extends string, Data extends z.ZodObject>(
  type: Type,
  data: Data,
): EventDefinition<Type, Data> {
  return { type, version: 1, data, upcasts: {} };
}

/** The union of events that a list of definitions describes: `{ type, data }`. */
export type EventOf<Definition> =
  Definition extends EventDefinition<infer Type, infer Data>
    ? { readonly type: Type; readonly data: Readonly<z.infer<Data>> }
    : never;

/** What every event carries beside its data. */
export const EventMetadata = z.object({
  /** When it happened, in milliseconds since 1970. */
  time: z.int().nonnegative(),
  /** Who caused it: a uid, or `server` for the holder of the server's key. */
  actor: z.string(),
  version: z.int().positive(),
  $correlationId: z.string(),
  $causationId: z.string(),
});
export type EventMetadata = z.infer<typeof EventMetadata>;
