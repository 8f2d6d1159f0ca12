import type { Moments } from './distribution';

const FIRST_CAPACITY = 8;

/**
 * The sum over a changing set of moments. Every inner node is computed anew from its children, so
 * the total depends on what is in the set now and on nothing that ever was: it cannot drift as a
 * running sum of floating point numbers would. Adding and removing cost O(log n).
 */
export class SumTree {
  private capacity = FIRST_CAPACITY;
  private means = new Float64Array(2 * FIRST_CAPACITY);
  private variances = new Float64Array(2 * FIRST_CAPACITY);
  private readonly free: number[] = [];
  private used = 0;

  /** How many moments it holds. */
  get size(): number {
    return this.used - this.free.length;
  }

  get total(): Moments {
    return { mean: this.means[1] ?? 0, variance: this.variances[1] ?? 0 };
  }

  /** @returns the handle to remove it by */
  add(moments: Moments): number {
    const handle = this.free.pop() ?? this.used++;
    if (handle >= this.capacity) this.grow();
    this.put(handle, moments.mean, moments.variance);
    return handle;
  }

  remove(handle: number): void {
    this.put(handle, 0, 0);
    this.free.push(handle);
  }

  private put(handle: number, mean: number, variance: number): void {
    let node = this.capacity + handle;
    this.means[node] = mean;
    this.variances[node] = variance;
    for (node >>= 1; node >= 1; node >>= 1) this.sumChildren(node);
  }

  private sumChildren(node: number): void {
    this.means[node] = (this.means[2 * node] ?? 0) + (this.means[2 * node + 1] ?? 0);
    this.variances[node] = (this.variances[2 * node] ?? 0) + (this.variances[2 * node + 1] ?? 0);
  }

  private grow(): void {
    const { means, variances, capacity } = this;
    this.capacity = 2 * capacity;
    this.means = new Float64Array(2 * this.capacity);
    this.variances = new Float64Array(2 * this.capacity);
    this.means.set(means.subarray(capacity), this.capacity);
    this.variances.set(variances.subarray(capacity), this.capacity);
    for (let node = this.capacity - 1; node >= 1; node--) this.sumChildren(node);
  }
}
