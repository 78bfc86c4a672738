import { type ArrayParameter, bools, int4s, int8s, texts, uuids } from '../../services/postgres/pipeline.ts';

/** One value of a row, as the projections see it. */
export type Value = string | number | boolean | null | readonly number[];

/** How a column's values come out of the database and go there, many at a time. */
export interface Column<Type> {
  /** The type of the array in which they go. */
  readonly array: string;
  /** Where an element goes as text: the type to make of it. */
  readonly cast?: string;
  /** Makes a value of what `pg` gives. */
  readonly read: (value: unknown) => Type;
  readonly write: (values: readonly Value[]) => ArrayParameter;
}

const numbers = (values: readonly Value[]) => values.map((value) => (value === null ? null : Number(value)));

/** Postgres takes no NUL in a text; the log may hold one. */
const clean = (value: string) => (value.includes('\0') ? value.replaceAll('\0', '\u{fffd}') : value);

const strings = (values: readonly Value[]) =>
  values.map((value) => (value === null ? null : clean(String(value))));

/** Whole numbers below 2^53. */
export const bigint: Column<number> = {
  array: 'bigint[]',
  read: Number,
  write: (values) => int8s(numbers(values)),
};

export const integer: Column<number> = {
  array: 'integer[]',
  read: Number,
  write: (values) => int4s(numbers(values)),
};

export const text: Column<string> = {
  array: 'text[]',
  read: String,
  write: (values) => texts(strings(values)),
};

export const uuid: Column<string> = {
  array: 'uuid[]',
  read: String,
  write: (values) => uuids(strings(values)),
};

export const boolean: Column<boolean> = {
  array: 'boolean[]',
  read: (value) => value === true,
  write: (values) => bools(values.map((value) => value === true)),
};

/** Lists of numbers. They go as texts, since an array's arrays would all have to be of one length. */
export const bigints: Column<readonly number[]> = {
  array: 'text[]',
  cast: 'bigint[]',
  read: (value) => (Array.isArray(value) ? value.map(Number) : []),
  write: (values) => texts(values.map((value) => (Array.isArray(value) ? `{${value.join(',')}}` : null))),
};

/** A text that is one of few. */
export function oneOf<const Words extends readonly string[]>(...words: Words): Column<Words[number]> {
  const read = (value: unknown) => {
    const known = words.find((word) => word === value);
    if (known === undefined) throw new TypeError(`${String(value)} is none of ${words.join(', ')}`);
    return known;
  };
  return { ...text, read };
}

/** Values of `column`, or null. */
export function nullable<Type>(column: Column<Type>): Column<Type | null> {
  return { ...column, read: (value) => (value === null ? null : column.read(value)) };
}
