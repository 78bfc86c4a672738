import {
  bool,
  int4,
  int8,
  int8List,
  text as textType,
  uuid as uuidType,
  type ValueType,
} from '../postgres/element-types.ts';
import { type ArrayParameter, bools, int4s, int8s, texts, uuids } from '../postgres/pipeline.ts';

/** One value of a row. */
export type Value = string | number | boolean | null | readonly number[];

/** A column of a read model: its type in Postgres and in the program, and how many values at once go between them. */
export interface Column<Type> {
  /** As Postgres names it. */
  readonly type: string;
  readonly nullable: boolean;
  /** The type of the array that carries the values of many rows. */
  readonly array: string;
  /** The type to convert each element of the array to, if it is another. */
  readonly cast?: string;
  /** Converts what `pg` returns. */
  readonly read: (value: unknown) => Type;
  readonly write: (values: readonly Value[]) => ArrayParameter;
  /** How one value is written when rows are copied. */
  readonly copied: ValueType<Value>;
}

/** Writes what `convert` makes of a value. */
function written<Type>(
  { maxBytes, write }: ValueType<Type>,
  convert: (value: Value) => Type,
): ValueType<Value> {
  return {
    maxBytes: (value) => maxBytes(convert(value)),
    write: (value, target, at) => write(convert(value), target, at),
  };
}

const wholeNumbers = (value: Value) => (Array.isArray(value) ? value.map(Number) : []);
const isTrue = (value: Value) => value === true;
const cleanText = (value: Value) => clean(String(value));

const copiedText: ValueType<Value> = {
  maxBytes(value) {
    const { length } = String(value);
    // Also if it is cleaned. Of longer ones so much memory would be wasted.
    return length <= 500 ? 3 * length : textType.maxBytes(cleanText(value));
  },
  write: (value, target, at) => textType.write(cleanText(value), target, at),
};

/** Postgres accepts no NUL in a text; the log may hold one. */
const clean = (value: string) => (value.includes('\0') ? value.replaceAll('\0', '\u{fffd}') : value);

/* As a rule the values are what the column holds already: then they are not copied. */

function numbers(values: readonly Value[]): readonly (number | null)[] {
  return areNumbers(values) ? values : values.map((value) => (value === null ? null : Number(value)));
}

function areNumbers(values: readonly Value[]): values is readonly (number | null)[] {
  return values.every((value) => typeof value === 'number' || value === null);
}

function strings(values: readonly Value[]): readonly (string | null)[] {
  return areClean(values) ? values : values.map((value) => (value === null ? null : clean(String(value))));
}

function areClean(values: readonly Value[]): values is readonly (string | null)[] {
  return values.every((value) => (typeof value === 'string' && !value.includes('\0')) || value === null);
}

/** Whole numbers below 2^53. */
export const bigint: Column<number> = {
  type: 'bigint',
  nullable: false,
  array: 'bigint[]',
  read: Number,
  write: (values) => int8s(numbers(values)),
  copied: written(int8, Number),
};

export const integer: Column<number> = {
  type: 'integer',
  nullable: false,
  array: 'integer[]',
  read: Number,
  write: (values) => int4s(numbers(values)),
  copied: written(int4, Number),
};

export const text: Column<string> = {
  type: 'text',
  nullable: false,
  array: 'text[]',
  read: String,
  write: (values) => texts(strings(values)),
  copied: copiedText,
};

export const uuid: Column<string> = {
  type: 'uuid',
  nullable: false,
  array: 'uuid[]',
  read: String,
  write: (values) => uuids(strings(values)),
  copied: written(uuidType, String),
};

export const boolean: Column<boolean> = {
  type: 'boolean',
  nullable: false,
  array: 'boolean[]',
  read: (value) => value === true,
  write: (values) => bools(values.map((value) => value === true)),
  copied: written(bool, isTrue),
};

/** Lists of numbers. They go as texts, since an array's arrays would all have to be of one length. */
export const bigints: Column<readonly number[]> = {
  type: 'bigint[]',
  nullable: false,
  array: 'text[]',
  cast: 'bigint[]',
  read: (value) => (Array.isArray(value) ? value.map(Number) : []),
  write: (values) => texts(values.map((value) => (Array.isArray(value) ? `{${value.join(',')}}` : null))),
  copied: written(int8List, wholeNumbers),
};

/** A column whose values are of a narrower type, as a branded id: projections alone write them, from events. */
export function narrowed<Narrow extends Wide, Wide = unknown>(column: Column<Wide>): Column<Narrow> {
  return { ...column, read: (value) => column.read(value) as Narrow };
}

/** A column with a few values. @throws TypeError when another one is read */
export function oneOf<Type extends Value, const Few extends readonly Type[]>(
  column: Column<Type>,
  ...values: Few
): Column<Few[number]> {
  const read = (value: unknown) => {
    const known = values.find((one) => one === column.read(value));
    if (known === undefined) throw new TypeError(`${String(value)} is none of ${values.join(', ')}`);
    return known;
  };
  return { ...column, read };
}

/** Values of `column`, or null. */
export function nullable<Type>(column: Column<Type>): Column<Type | null> {
  return { ...column, nullable: true, read: (value) => (value === null ? null : column.read(value)) };
}
