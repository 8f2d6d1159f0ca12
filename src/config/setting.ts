import { z } from 'zod';

/** One setting: its name, what it takes, and why it is there. */
export interface Setting<T> {
  /** Name in the environment; in lower case it is the name in the YAML file. */
  readonly env: string;
  readonly description: string;
  /** `ms`, `bytes`, `days`, …; absent for what has none. */
  readonly unit?: string;
  /** What may be given, for a fault: "an integer from 0 to 65535". */
  readonly allowed: string;
  /** Value when nobody gives one; undefined means "not set". */
  readonly fallback: T;
  /** Reads a text of the environment, or a value of the YAML file. */
  readonly schema: z.ZodType<T>;
  /** Values are paths: relative ones are made absolute against the folder of their source. */
  readonly isPath?: true;
  /** Its value is never shown. */
  readonly secret?: true;
  /** Left out of the documentation: only tests use it. */
  readonly hidden?: true;
}

/** What every kind of setting is made from. */
interface Basics<T> {
  readonly env: string;
  readonly description: string;
  readonly unit?: string;
  readonly fallback: T;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number within a range, both ends included. */
export function integer(basics: Basics<number> & Range): Setting<number> {
  const { min, max, ...rest } = basics;
  const schema = z.preprocess(fromText, z.int().min(min).max(max));
  return { ...rest, schema, allowed: `an integer from ${min} to ${max}` };
}

/** A number within a range, both ends included. */
export function decimal(basics: Basics<number> & Range): Setting<number> {
  const { min, max, ...rest } = basics;
  const schema = z.preprocess(fromText, z.number().min(min).max(max));
  return { ...rest, schema, allowed: `a number from ${min} to ${max}` };
}

/** A duration in whole milliseconds, at most 20 days: timers of Node overflow above 24. */
export function duration(basics: Basics<number> & { min?: number }): Setting<number> {
  const { min = 1, ...rest } = basics;
  return integer({ ...rest, unit: 'ms', min, max: 20 * 86_400_000 });
}

/** Something that is on or off. */
export function toggle(basics: Basics<boolean>): Setting<boolean> {
  const schema = z.preprocess(fromSwitch, z.boolean());
  return { ...basics, schema, allowed: 'on or off' };
}

/** One of a few words. */
export function choice<const T extends string>(
  basics: Basics<NoInfer<T>> & { options: readonly T[] },
): Setting<T> {
  const { options, ...rest } = basics;
  return { ...rest, schema: z.enum(options), allowed: `one of ${options.join(', ')}` };
}

/** A text that is not empty, of a certain form when a pattern is given. */
export function text(
  basics: Basics<string> & { pattern?: RegExp; allowed?: string },
): Setting<string> {
  const { pattern, allowed = 'a text that is not empty', ...rest } = basics;
  const nonEmpty = z.string().min(1);
  return { ...rest, allowed, schema: pattern === undefined ? nonEmpty : nonEmpty.regex(pattern) };
}

/** A text that may be left out. */
export function optionalText(
  basics: Omit<Basics<never>, 'fallback'> & {
    pattern?: RegExp;
    allowed?: string;
    hidden?: true;
    secret?: true;
  },
): Setting<string | undefined> {
  return { ...text({ ...basics, fallback: '' }), fallback: undefined };
}

/** A file or folder that may be left out. */
export function optionalPath(basics: Omit<Basics<never>, 'fallback'>): Setting<string | undefined> {
  const schema = z.string().min(1);
  return { ...basics, schema, allowed: 'a path', fallback: undefined, isPath: true };
}

/** A URL of one of the given schemes (`http:`) that may be left out. */
export function optionalUrl(
  basics: Omit<Basics<never>, 'fallback'> & { schemes: readonly string[] },
): Setting<string | undefined> {
  const { schemes, ...rest } = basics;
  const isUrl = (given: string): boolean =>
    URL.canParse(given) && schemes.includes(new URL(given).protocol);
  const allowed = `a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
  return { ...rest, schema: z.string().refine(isUrl), allowed, fallback: undefined };
}

/**
 * A list: texts with a separator between them (default: a comma), or a YAML list of texts. Empty by
 * default.
 */
export function list(
  basics: Omit<Basics<never>, 'fallback'> & {
    allowed: string;
    separator?: string;
    item?: (item: string) => boolean;
    isPath?: true;
    secret?: true;
  },
): Setting<readonly string[]> {
  const { item = () => true, separator = ',', ...rest } = basics;
  const items = z.array(z.string().min(1).refine(item));
  const schema = z.preprocess((value) => parted(value, separator), items);
  return { ...rest, schema, fallback: [] };
}

/** Numbers by name: `name=number` with commas between them, or a YAML mapping. None by default. */
export function counts(
  basics: Omit<Basics<never>, 'fallback'> & Range & { longestName: number },
): Setting<Readonly<Record<string, number>>> {
  const { min, max, longestName, ...rest } = basics;
  const schema = z.preprocess(
    fromPairs,
    z.record(z.string().min(1).max(longestName), z.int().min(min).max(max)),
  );
  const allowed = `names and integers from ${min} to ${max}, as in innovus=10,default=50`;
  return { ...rest, schema, allowed, fallback: {} };
}

function fromPairs(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const pairs = (parted(value, ',') as string[]).map((pair) => {
    const at = pair.lastIndexOf('=');
    return [pair.slice(0, at < 0 ? pair.length : at).trim(), fromText(pair.slice(at + 1))] as const;
  });
  // A name that stands twice is no mapping: nobody could say which number is meant.
  return new Set(pairs.map(([name]) => name)).size < pairs.length
    ? value
    : Object.fromEntries(pairs);
}

/** A text that is a number becomes one; anything else is left for the schema to refuse. */
function fromText(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[+-]?(\d+|\d*\.\d+)$/.test(value.trim())) return value;
  return Number(value);
}

function fromSwitch(value: unknown): unknown {
  if (value === 'on') return true;
  return value === 'off' ? false : value;
}

function parted(value: unknown, separator: string): unknown {
  if (typeof value !== 'string') return value;
  return value
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
