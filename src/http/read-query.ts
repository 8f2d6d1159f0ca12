import { Fault, SchedulerError } from '../core/errors';

/** The values of a query string: names to one text each. It has no prototype. */
export type QueryValues = Readonly<Record<string, string>>;

const NO_VALUES: QueryValues = Object.freeze(Object.create(null) as Record<string, string>);
const BEYOND_ASCII = /[^\x20-\x7e]/;

/**
 * Reads the query of a request target once, names and values decoded. A name may stand once;
 * lists and objects (`a=1&a=2`, `a[b]=1`) are refused rather than guessed at.
 *
 * @param target the request target, path included
 * @throws {SchedulerError} `invalid_input`, each fault at `['query', name]`
 */
export function readQuery(target: string): QueryValues {
  const start = target.indexOf('?');
  if (start < 0 || start === target.length - 1) return NO_VALUES;
  const values = Object.create(null) as Record<string, string>;
  const faults: Fault[] = [];
  for (const pair of target.slice(start + 1).split('&')) {
    if (pair === '') continue;
    const [rawName, rawValue] = halves(pair);
    const name = decode(rawName);
    const value = decode(rawValue);
    const msg = pairFault(name, value, values);
    if (msg !== undefined) faults.push({ loc: ['query', name ?? rawName], msg, type: 'value' });
    else if (name !== undefined && value !== undefined) values[name] = value;
  }
  const [first] = faults;
  if (first !== undefined) throw new SchedulerError('invalid_input', first.msg, { faults });
  return values;
}

function pairFault(
  name: string | undefined,
  value: string | undefined,
  values: QueryValues,
): string | undefined {
  if (name === undefined) return 'a query parameter has a name that is not percent-encoded UTF-8';
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  if (value === undefined) return `${shown} must be percent-encoded UTF-8 without NUL`;
  if (/[[\]]/.test(name)) return `${shown} must be a plain name; lists and objects are not read`;
  if (name in values) return `${shown} must stand once in the query, not several times`;
  return undefined;
}

function halves(pair: string): [string, string] {
  const equals = pair.indexOf('=');
  return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** The decoded text; undefined for broken percent-encoding, raw bytes and NUL. */
function decode(raw: string): string | undefined {
  if (BEYOND_ASCII.test(raw)) return undefined;
  try {
    const text = decodeURIComponent(raw.replaceAll('+', ' '));
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
