import { listIn, numberIn } from './state-reader.predictor';

/** The last outcomes of one group, kept in the order of arrival and in the order of size. */
export class OutcomeWindow {
  private recent: number[] = [];
  private sorted: number[] = [];
  private oldest = 0;

  /** @param most outcomes that are remembered */
  constructor(private readonly most: number) {}

  /** @throws {DamagedStateError} */
  static from(most: number, state: unknown): OutcomeWindow {
    const restored = new OutcomeWindow(most);
    restored.recent = listIn(state, most).map(numberIn);
    restored.sorted = [...restored.recent].sort((a, b) => a - b);
    return restored;
  }

  /** As JSON, for `from`: the outcomes, oldest first. */
  get state(): readonly number[] {
    return [...this.recent.slice(this.oldest), ...this.recent.slice(0, this.oldest)];
  }

  get size(): number {
    return this.sorted.length;
  }

  add(value: number): void {
    if (this.recent.length < this.most) {
      this.recent.push(value);
    } else {
      this.sorted.splice(placeOf(this.sorted, this.recent[this.oldest] ?? 0), 1);
      this.recent[this.oldest] = value;
      this.oldest = (this.oldest + 1) % this.most;
    }
    this.sorted.splice(placeOf(this.sorted, value), 0, value);
  }

  /** The values that shares `levels` of the outcomes stay below: linear between neighbours. */
  quantiles(levels: readonly number[]): readonly number[] {
    return levels.map((level) => this.quantile(level));
  }

  /** @throws {RangeError} when there are no outcomes */
  quantile(level: number): number {
    // The i-th of n outcomes estimates the level (i + ½) / n, so that the window is not too narrow.
    const place = Math.min(Math.max(level * this.size - 0.5, 0), this.size - 1);
    const below = this.at(Math.floor(place));
    return below + (this.at(Math.ceil(place)) - below) * (place - Math.floor(place));
  }

  private at(index: number): number {
    const value = this.sorted[index];
    if (value === undefined) throw new RangeError('there are no outcomes yet');
    return value;
  }
}

/** Where the value stands, or belongs, among ascending ones. */
function placeOf(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
