import { core } from 'zod';

/** Whether a value has the form of a schema. */
type Check = (value: unknown) => boolean;

const known = new WeakMap<core.$ZodType, Check | undefined>();

/**
 * Whether a value is just what its schema would return for it: of the right form, with no member that the schema leaves
 * out. A schema copies what it parses, key by key, which for an event costs as much as everything else that reading it
 * does; what this accepts need not be copied. False proves nothing: the schema has the last word on it.
 */
export function isExact<Output>(schema: core.$ZodType<Output>, value: unknown): value is Output {
  let check = known.get(schema);
  if (check === undefined && !known.has(schema)) {
    check = checkOf(schema);
    known.set(schema, check);
  }
  return check?.(value) ?? false;
}

/** As the schema's `safeParse`, but what the schema would only copy is given as it is. */
export function safeParse<Output>(
  schema: core.$ZodType<Output>,
  value: unknown,
): core.util.SafeParseResult<Output> {
  return isExact(schema, value) ? { success: true, data: value } : core.safeParse(schema, value);
}

/** Undefined for a kind of schema that changes what it parses, or that is not known here. */
function checkOf(schema: core.$ZodType): Check | undefined {
  // All schemas are of one of these classes, which zod declares for those who inspect schemas.
  const { def } = (schema as core.$ZodTypes)._zod;
  switch (def.type) {
    case 'object':
      return def.catchall || def.checks?.length ? undefined : objectCheck(def.shape);
    case 'string':
      return stringCheck(def);
    case 'number':
      return numberCheck(def);
    case 'boolean':
      return plain(def) ? (value) => typeof value === 'boolean' : undefined;
    case 'literal':
      return plain(def) ? oneOf(def.values) : undefined;
    case 'enum':
      return plain(def) ? oneOf(Object.values(def.entries)) : undefined;
    case 'optional':
      return plain(def) ? checkOf(def.innerType) : undefined;
    case 'nullable': {
      const check = plain(def) ? checkOf(def.innerType) : undefined;
      return check && ((value) => value === null || check(value));
    }
    case 'array': {
      const check = plain(def) ? checkOf(def.element) : undefined;
      return check && ((value) => Array.isArray(value) && value.every(check));
    }
    case 'union': {
      const checks = plain(def) && def.inclusive !== false ? all(def.options.map(checkOf)) : undefined;
      return checks && ((value) => checks.some((check) => check(value)));
    }
    default:
      return undefined;
  }
}

function plain({ checks, ...def }: core.$ZodTypeDef): boolean {
  return !checks?.length && !('coerce' in def && def.coerce);
}

function all(checks: readonly (Check | undefined)[]): Check[] | undefined {
  const found = checks.filter((check) => check !== undefined);
  return found.length === checks.length ? found : undefined;
}

function oneOf(values: readonly unknown[]): Check {
  return (value) => values.includes(value);
}

function objectCheck(shape: core.$ZodShape): Check | undefined {
  const members = new Map<string, { readonly check: Check; readonly required: boolean }>();
  let required = 0;
  for (const [key, schema] of Object.entries(shape)) {
    const check = checkOf(schema);
    if (check === undefined) return undefined;
    const optional = schema._zod.optin === 'optional';
    if (!optional) required++;
    members.set(key, { check, required: !optional });
  }
  return (value) => {
    if (!isObject(value)) return false;
    let missing = required;
    // Not by its entries, which would be as many objects.
    for (const key in value) {
      const member = members.get(key);
      if (!member?.check(value[key])) return false;
      if (member.required) missing--;
    }
    return missing === 0;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function stringCheck({ checks = [], coerce }: core.$ZodStringDef): Check | undefined {
  if (coerce) return undefined;
  const patterns: RegExp[] = [];
  for (const check of checks) {
    const pattern = patternOf(check._zod.def);
    if (pattern === undefined) return undefined;
    patterns.push(pattern);
  }
  const [pattern] = patterns;
  if (pattern === undefined) return isString;
  if (patterns.length === 1) return (value) => typeof value === 'string' && pattern.test(value);
  return (value) => typeof value === 'string' && patterns.every((each) => each.test(value));
}

/** Of the one kind of check that ids have. */
function patternOf(def: core.$ZodCheckDef): RegExp | undefined {
  if (def.check !== 'string_format' || !('format' in def) || def.format !== 'regex' || def.when)
    return undefined;
  const pattern = 'pattern' in def ? def.pattern : undefined;
  // Such a pattern remembers where it was.
  return pattern instanceof RegExp && !pattern.global && !pattern.sticky ? pattern : undefined;
}

function numberCheck({ checks = [], coerce, ...def }: core.$ZodNumberDef): Check | undefined {
  if (coerce || !('format' in def) || def.format !== 'safeint') return undefined;
  let least = Number.MIN_SAFE_INTEGER;
  for (const { _zod } of checks) {
    const { check, when } = _zod.def;
    if (check !== 'greater_than' || when || !('value' in _zod.def) || !('inclusive' in _zod.def))
      return undefined;
    const { value, inclusive } = _zod.def;
    if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
    least = Math.max(least, inclusive === true ? value : value + 1);
  }
  return (value) => Number.isSafeInteger(value) && Number(value) >= least;
}
