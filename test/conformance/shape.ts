/**
 * Where an answer differs in shape from the examples of it: a field that is not there, a field too
 * many, a value of another type. Objects whose keys are ids, initials or chats are maps; what is in
 * all examples of an entry must be there, what is in only some may be.
 * @param beyond names of fields that an answer may have beyond the examples
 */
export function differences(
  examples: readonly unknown[],
  actual: unknown,
  beyond: ReadonlySet<string>,
  at = 'data',
): string[] {
  const kinds = new Set(examples.map(kindOf));
  if (!kinds.has(kindOf(actual))) return [`${at} is ${kindOf(actual)}, not ${[...kinds].join(' or ')}`];
  if (Array.isArray(actual)) {
    const items = examples.flatMap((example) => (Array.isArray(example) ? example : []));
    if (items.length === 0) return actual.length === 0 ? [] : [`${at} is not empty`];
    return actual.flatMap((item, index) => differences(items, item, beyond, `${at}[${index}]`));
  }
  if (!isObject(actual)) return [];
  const objects = examples.filter(isObject);
  if (objects.every(isMap)) {
    const entries = objects.flatMap((object) => Object.values(object));
    return Object.entries(actual).flatMap(([key, value]) => [
      ...(isMapKey(key) ? [] : [`${at}.${key} is no key`]),
      ...differences(alike(entries, value), value, beyond, `${at}.${key}`),
    ]);
  }
  const names = new Set(objects.flatMap((object) => Object.keys(object)));
  const missing = [...names].filter((name) => !(name in actual) && objects.every((object) => name in object));
  return [
    ...missing.map((name) => `${at}.${name} is missing`),
    ...Object.entries(actual).flatMap(([name, value]) => {
      if (!names.has(name)) return beyond.has(name) ? [] : [`${at}.${name} is not in the document`];
      const values = objects.filter((object) => name in object).map((object) => object[name]);
      return differences(values, value, beyond, `${at}.${name}`);
    }),
  ];
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return Number.isInteger(value) ? 'an integer' : typeof value;
}

const isMapKey = (key: string) => /^(\d+|[A-Z#]|(friend|group)\d+)$/.test(key);

function isMap(object: Fields): boolean {
  const keys = Object.keys(object);
  return keys.length > 0 && keys.every(isMapKey);
}

/** The examples of the same `type` as the value, if they have one: a friend's chat is not compared with a group's. */
function alike(examples: readonly unknown[], value: unknown): unknown[] {
  const typed = examples.filter(
    (example) => isObject(example) && isObject(value) && example.type === value.type,
  );
  return typed.length > 0 ? typed : [...examples];
}
