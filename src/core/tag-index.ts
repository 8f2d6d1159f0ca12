import { Heap } from 'heap-js';

/** An item, and where it stands. A rank of `Infinity`: not to be found. */
interface Entry<T> {
  readonly item: T;
  readonly place: number;
  /** As they were given last: most often they are given again as they were. */
  given: readonly string[];
  tags: ReadonlySet<string>;
  rank: number;
  /** The number of its last change: what was noted of it before is out of date. */
  stamp: number;
}

interface Note<T> {
  readonly entry: Entry<T>;
  readonly rank: number;
  readonly stamp: number;
}

/** Those that have one set of tags, in the order of their ranks. */
interface Selection<T> {
  readonly tags: readonly string[];
  readonly notes: Heap<Note<T>>;
  /** How many notes it had when it was made, or made anew: all of them were current. */
  filled: number;
  /** How many changes it has heard of. */
  heard: number;
}

/** Changes that are remembered; a selection that missed more is made anew. */
const REMEMBERED_CHANGES = 4_096;
/** Notes that all selections may have together. */
const MOST_NOTES = 1_000_000;
/** Combinations that are kept in order, and of those that were asked for once only. */
const REMEMBERED_COMBINATIONS = 1_024;
/** Notes that a selection may gain beside as many as it was made with; then it is made anew. */
const SLACK = 64;
/** When so many in a row are not accepted, a look at all of them is quicker than to lift one by one. */
const MOST_LIFTED = 32;
const BITS = 32;
const NO_TAGS: readonly string[] = [];

/**
 * Finds the item of least rank among those that have certain tags. Which items have a tag is a set of
 * bits, so a new combination costs a few words per tag and a look at who has them all. One that is
 * asked for again is kept in order: it hears of the changes since it was asked last, and so costs
 * O(log n) whatever the size of the fleet.
 */
export class TagIndex<T> {
  private readonly entries = new Map<T, Entry<T>>();
  private readonly places: (Entry<T> | undefined)[] = [];
  private readonly vacant: number[] = [];
  private readonly bits = new Map<string, Uint32Array>();
  /** By the tags, joined; those asked for last come last. */
  private readonly selections = new Map<string, Selection<T>>();
  private readonly askedOnce = new Set<string>();
  private readonly changes: Entry<T>[] = [];
  /** Changes so far. */
  private changed = 0;
  private noteCount = 0;

  /** How many combinations are kept in order. */
  get combinations(): number {
    return this.selections.size;
  }

  /** Notes of all combinations together, out-of-date ones included: what the index costs. */
  get notes(): number {
    return this.noteCount;
  }

  /**
   * Puts the item at its rank, with these tags, whatever was said of it before.
   * @param rank `Infinity`: it is not to be found now
   */
  set(item: T, tags: readonly string[], rank: number): void {
    const entry = this.entries.get(item) ?? this.add(item);
    const isRetagged = entry.given !== tags && !isSame(entry.tags, tags);
    entry.given = tags;
    if (entry.rank === rank && !isRetagged) return;
    if (isRetagged) this.retag(entry, new Set(tags));
    entry.rank = rank;
    this.change(entry);
  }

  delete(item: T): void {
    const entry = this.entries.get(item);
    if (!entry) return;
    this.retag(entry, new Set());
    entry.rank = Infinity;
    this.change(entry);
    this.entries.delete(item);
    this.places[entry.place] = undefined;
    this.vacant.push(entry.place);
  }

  /**
   * The item of least rank that has all of these tags; of several with that rank any one.
   * @param accept only such ones
   */
  least(tags: readonly string[], accept: (item: T) => boolean = () => true): T | undefined {
    const wanted = tags.length < 2 ? tags : [...new Set(tags)].sort();
    const key = `${wanted.length} ${wanted.join('\0')}`;
    const known = this.selections.get(key);
    if (known) {
      this.selections.delete(key);
      this.selections.set(key, known);
      this.catchUp(known);
      return this.first(known, accept);
    }
    if (this.isNew(key)) return this.scan(wanted, accept);
    return this.first(this.select(key, wanted), accept);
  }

  // --- items -----------------------------------------------------------------------------------

  private add(item: T): Entry<T> {
    const place = this.vacant.pop() ?? this.places.length;
    const tags = new Set<string>();
    const entry: Entry<T> = { item, place, given: NO_TAGS, tags, rank: Infinity, stamp: 0 };
    this.entries.set(item, entry);
    this.places[place] = entry;
    return entry;
  }

  private retag(entry: Entry<T>, tags: ReadonlySet<string>): void {
    const word = Math.floor(entry.place / BITS);
    const mask = 1 << (entry.place % BITS);
    for (const tag of entry.tags) {
      const bits = this.bits.get(tag);
      if (!bits || tags.has(tag)) continue;
      bits[word] = (bits[word] ?? 0) & ~mask;
      if (bits.every((some) => some === 0)) this.bits.delete(tag);
    }
    for (const tag of tags) {
      const bits = this.roomFor(tag, word);
      bits[word] = (bits[word] ?? 0) | mask;
    }
    entry.tags = tags;
  }

  private roomFor(tag: string, word: number): Uint32Array {
    const known = this.bits.get(tag) ?? new Uint32Array();
    if (word < known.length) return known;
    const grown = new Uint32Array(Math.max(word + 1, 2 * known.length));
    grown.set(known);
    this.bits.set(tag, grown);
    return grown;
  }

  private change(entry: Entry<T>): void {
    this.changes[this.changed % REMEMBERED_CHANGES] = entry;
    entry.stamp = ++this.changed;
  }

  // --- a combination that is new ---------------------------------------------------------------

  /** True when it was not asked for lately. */
  private isNew(key: string): boolean {
    if (this.askedOnce.delete(key)) return false;
    this.askedOnce.add(key);
    const [oldest] = this.askedOnce;
    if (this.askedOnce.size > REMEMBERED_COMBINATIONS && oldest !== undefined)
      this.askedOnce.delete(oldest);
    return true;
  }

  private scan(tags: readonly string[], accept: (item: T) => boolean): T | undefined {
    let best: Entry<T> | undefined;
    this.forEachWith(tags, (entry) => {
      if (entry.rank < (best?.rank ?? Infinity) && accept(entry.item)) best = entry;
    });
    return best?.item;
  }

  /** Whoever has all of the tags, in the order of their places. */
  private forEachWith(tags: readonly string[], visit: (entry: Entry<T>) => void): void {
    if (tags.length === 0) {
      for (const entry of this.places) if (entry) visit(entry);
      return;
    }
    const sets: Uint32Array[] = [];
    for (const tag of tags) {
      const bits = this.bits.get(tag);
      if (!bits) return;
      sets.push(bits);
    }
    const words = Math.min(...sets.map(({ length }) => length));
    for (let word = 0; word < words; word++) {
      let common = ~0;
      for (const bits of sets) common &= bits[word] ?? 0;
      for (; common !== 0; common &= common - 1) {
        const lowest = BITS - 1 - Math.clz32(common & -common);
        const entry = this.places[word * BITS + lowest];
        if (entry) visit(entry);
      }
    }
  }

  // --- a combination that is kept in order -----------------------------------------------------

  private select(key: string, tags: readonly string[]): Selection<T> {
    const notes = new Heap<Note<T>>(byRank);
    const selection: Selection<T> = { tags, notes, filled: 0, heard: 0 };
    this.fill(selection);
    this.selections.set(key, selection);
    for (const [oldest, known] of this.selections) {
      const isMuch = this.noteCount > MOST_NOTES || this.selections.size > REMEMBERED_COMBINATIONS;
      if (!isMuch || oldest === key) break;
      this.selections.delete(oldest);
      this.noteCount -= known.notes.length;
    }
    return selection;
  }

  private fill(selection: Selection<T>): void {
    const notes: Note<T>[] = [];
    this.forEachWith(selection.tags, (entry) => {
      if (entry.rank !== Infinity) notes.push(noteOf(entry));
    });
    this.noteCount += notes.length - selection.notes.length;
    selection.notes.init(notes);
    selection.filled = notes.length;
    selection.heard = this.changed;
  }

  private catchUp(selection: Selection<T>): void {
    const missed = this.changed - selection.heard;
    if (missed === 0) return;
    const { notes, tags, filled } = selection;
    if (missed > REMEMBERED_CHANGES || notes.length > 2 * filled + SLACK) {
      this.fill(selection);
      return;
    }
    for (let change = selection.heard; change < this.changed; change++) {
      const entry = this.changes[change % REMEMBERED_CHANGES];
      // Of several changes of one item only the last one counts.
      if (entry?.stamp !== change + 1 || entry.rank === Infinity) continue;
      if (!hasAll(entry.tags, tags)) continue;
      notes.push(noteOf(entry));
      this.noteCount++;
    }
    selection.heard = this.changed;
  }

  private first({ notes, tags }: Selection<T>, accept: (item: T) => boolean): T | undefined {
    const lifted: Note<T>[] = [];
    let found: T | undefined;
    for (let note = notes.peek(); note && found === undefined; note = notes.peek()) {
      if (lifted.length > MOST_LIFTED) break;
      if (note.stamp !== note.entry.stamp) {
        notes.pop();
        this.noteCount--;
      } else if (accept(note.entry.item)) {
        found = note.entry.item;
      } else {
        notes.pop();
        lifted.push(note);
      }
    }
    for (const note of lifted) notes.push(note);
    return lifted.length > MOST_LIFTED ? this.scan(tags, accept) : found;
  }
}

function noteOf<T>(entry: Entry<T>): Note<T> {
  return { entry, rank: entry.rank, stamp: entry.stamp };
}

function byRank<T>(a: Note<T>, b: Note<T>): number {
  return a.rank - b.rank || a.stamp - b.stamp;
}

function hasAll(tags: ReadonlySet<string>, wanted: readonly string[]): boolean {
  for (const tag of wanted) if (!tags.has(tag)) return false;
  return true;
}

function isSame(tags: ReadonlySet<string>, others: readonly string[]): boolean {
  return tags.size === others.length && hasAll(tags, others);
}
