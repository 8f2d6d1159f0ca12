import { SchedulerError } from '../core/errors';
import { isUuid } from '../core/units';

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Leads to the next page; null when this is the last one. */
  readonly nextCursor: string | null;
}

/** What the parts of a key may be. */
interface Parts {
  /** Well-formed text without NUL. */
  readonly text: string;
  /** A UUID in its canonical form. */
  readonly uuid: string;
  /** Unix ms that a `Date` can hold, not before 1970, fractions allowed. */
  readonly instant: number;
}

type Shape = readonly (keyof Parts)[];
type KeyOf<S extends Shape> = { readonly [Part in keyof S]: Parts[S[Part]] };

const LATEST_INSTANT = 8.64e15;

const FITS = {
  text: (part) => typeof part === 'string' && !/[\0\p{Surrogate}]/u.test(part),
  uuid: (part) => typeof part === 'string' && isUuid(part),
  instant: (part) => typeof part === 'number' && part >= 0 && part <= LATEST_INSTANT,
} as const satisfies Record<keyof Parts, (part: unknown) => boolean>;

/**
 * Cursors of one list that is paged by key: each is the key of the last item that was shown, so
 * that a page begins right behind it whatever came or went meanwhile. Opaque to clients: base64url
 * of JSON, with the name of the list in front.
 */
export class Cursors<const S extends Shape> {
  private readonly shape: S;

  /**
   * @param list name of the list; a cursor of another list is refused
   * @param shape what the key consists of: everything that the list is ordered by, in that order
   */
  constructor(
    private readonly list: string,
    ...shape: S
  ) {
    this.shape = shape;
  }

  /**
   * The key that a cursor stands for; undefined without one, from the beginning.
   * @throws {SchedulerError} invalid_input at `['query', 'cursor']`
   */
  read(cursor: string | undefined): KeyOf<S> | undefined {
    if (cursor === undefined) return undefined;
    const [list, ...key] = partsIn(cursor);
    if (list === this.list && this.isKey(key)) return key;
    const msg = 'cursor must be the next_cursor of a page of this list, unchanged';
    const fault = { loc: ['query', 'cursor'], msg, type: 'value' };
    throw new SchedulerError('invalid_input', msg, { faults: [fault] });
  }

  /**
   * A page made of the items behind the last one that was shown, in order.
   * @param found one more than `limit` where there are so many: how else to know of a next page
   */
  page<T>(found: readonly T[], limit: number, keyOf: (item: T) => KeyOf<S>): Page<T> {
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const isLast = found.length <= limit || last === undefined;
    return { items, nextCursor: isLast ? null : this.write(keyOf(last)) };
  }

  private write(key: KeyOf<S>): string {
    return Buffer.from(JSON.stringify([this.list, ...key])).toString('base64url');
  }

  private isKey(key: readonly unknown[]): key is KeyOf<S> {
    return (
      key.length === this.shape.length && this.shape.every((part, index) => FITS[part](key[index]))
    );
  }
}

/** What was written into a cursor; nothing for whatever is none. */
function partsIn(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
