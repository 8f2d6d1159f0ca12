import { setFlagsFromString } from 'node:v8';

/**
 * How far the heap may grow beyond what was alive at the last full collection, in percent. Left to
 * itself V8 lets it grow to four times that on a machine with much memory (docs/adr/0007).
 */
const GROWTH_PERCENT = 40;

/** Keeps the heap of this process near what is alive in it. V8 reads this at every full collection. */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
