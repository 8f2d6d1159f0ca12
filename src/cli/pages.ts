import type { ApiClient } from './api-client';
import { Fields } from './fields';

/** A list of the native API, and what of it is wanted. */
export interface ListQuery {
  /** As in `/v1/tasks`. */
  readonly path: string;
  /** Name of the list in the answer. */
  readonly name: string;
  /** Filters; those that are undefined are left out. */
  readonly filters?: Readonly<Record<string, string | undefined>>;
  /** Most items; default: all. */
  readonly limit?: number;
}

/** A part of a list. */
export interface Page {
  readonly items: readonly Fields[];
  /** True when the list goes on behind it. */
  readonly hasMore: boolean;
}

/** What the service gives at most in one answer. */
const LARGEST_PAGE = 1_000;

/**
 * A list page by page, each asked for when the one before was used.
 * @throws {CommandFailure} when the service refuses or cannot be reached
 */
export async function* pagesOf(client: ApiClient, query: ListQuery): AsyncGenerator<Page> {
  const { path, name, filters = {}, limit = Infinity } = query;
  let left = limit;
  let cursor: string | null = null;
  do {
    const size = Math.min(LARGEST_PAGE, left);
    const text = queryText({ ...filters, limit: String(size), cursor: cursor ?? undefined });
    const answer: unknown = await client.get(`${path}?${text}`);
    const page = new Fields(answer, `the answer to GET ${path}`);
    const items = page.list(name).slice(0, left);
    cursor = page.optionalText('next_cursor');
    left -= items.length;
    yield { items, hasMore: cursor !== null };
  } while (cursor !== null && left > 0);
}

/** The wanted part of a list in one piece. @throws as `pagesOf` */
export async function fetchList(client: ApiClient, query: ListQuery): Promise<Page> {
  const items: Fields[] = [];
  let hasMore = false;
  for await (const page of pagesOf(client, query)) {
    items.push(...page.items);
    hasMore = page.hasMore;
  }
  return { items, hasMore };
}

function queryText(parts: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parts).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return new URLSearchParams(given).toString();
}
