import { SchedulerError } from '../core/errors';
import type { Dialect, DialectRoute } from './dialect';

/** A declared route, and the dialect that declared it. */
export interface RouteMatch {
  readonly dialect: Dialect;
  readonly route: DialectRoute;
}

/** What is declared at one path, for whatever method. */
export interface PathEntry {
  readonly pattern: string;
  readonly segments: readonly string[];
  readonly methods: Map<string, RouteMatch>;
}

/**
 * Every declared route of all dialects, found by path. Paths are compared as they were sent, case
 * and all, never decoded; one slash at the end is forgiven. A literal path goes before one with
 * parameters.
 */
export class RouteTable {
  private readonly literal = new Map<string, PathEntry>();
  private readonly patterns: PathEntry[] = [];

  /** @throws {Error} when two routes are declared for one method and path */
  constructor(dialects: readonly Dialect[]) {
    for (const dialect of dialects) {
      for (const route of dialect.routes) this.add({ dialect, route });
    }
  }

  /** All entries that a path leads to, the literal one first; empty for an unknown path. */
  at(path: string): readonly PathEntry[] {
    const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    const literal = this.literal.get(trimmed);
    if (this.patterns.length === 0) return literal === undefined ? [] : [literal];
    const segments = trimmed.split('/');
    const matching = this.patterns.filter((entry) => matches(entry.segments, segments));
    return literal === undefined ? matching : [literal, ...matching];
  }

  private add(match: RouteMatch): void {
    const { method, path } = match.route;
    const entry = this.entryFor(path);
    if (entry.methods.has(method)) throw new Error(`${method} ${path} is declared twice`);
    entry.methods.set(method, match);
  }

  private entryFor(path: string): PathEntry {
    const segments = path.split('/');
    const literal = segments.every((segment) => !isParameter(segment));
    const known = literal
      ? this.literal.get(path)
      : this.patterns.find((entry) => entry.pattern === path);
    if (known !== undefined) return known;
    const entry: PathEntry = { pattern: path, segments, methods: new Map() };
    if (literal) this.literal.set(path, entry);
    else this.patterns.push(entry);
    return entry;
  }
}

/** The route for a method among the entries of a path; HEAD is answered where GET is. */
export function routeFor(entries: readonly PathEntry[], method: string): RouteMatch | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  for (const entry of entries) {
    const match = entry.methods.get(wanted);
    if (match !== undefined) return match;
  }
  return undefined;
}

/** The methods that the entries of a path take, for an `Allow` header. */
export function allowedMethods(entries: readonly PathEntry[]): string[] {
  const methods = new Set(entries.flatMap((entry) => [...entry.methods.keys()]));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods];
}

/**
 * Refuses path parameters that are not text: broken percent-encoding, NUL.
 *
 * @throws {SchedulerError} `invalid_input` at `['path', name]`
 */
export function checkPathParameters(pattern: string, path: string): void {
  if (!path.includes('%')) return;
  const sent = path.split('/');
  pattern.split('/').forEach((segment, index) => {
    if (!isParameter(segment)) return;
    const values = segment.startsWith('*') ? sent.slice(index) : sent.slice(index, index + 1);
    if (values.every(isText)) return;
    const name = segment.slice(1);
    const msg = `${name} must be percent-encoded UTF-8 without NUL`;
    throw new SchedulerError('invalid_input', msg, {
      faults: [{ loc: ['path', name], msg, type: 'value' }],
    });
  });
}

function isText(encoded: string): boolean {
  try {
    return !decodeURIComponent(encoded).includes('\0');
  } catch {
    return false;
  }
}

function isParameter(segment: string): boolean {
  return segment.startsWith(':') || segment.startsWith('*');
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return false;
    if (part.startsWith('*')) return true;
    if (part.startsWith(':') ? segment === '' : segment !== part) return false;
  }
  return pattern.length === segments.length;
}
