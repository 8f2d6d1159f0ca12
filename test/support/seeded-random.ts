import type { Random } from '../../src/core/ports';

export { SeededRandom } from '../../src/ops/seeded-random';

/** Chance that always says the same. */
export function fixedRandom(value: number): Random {
  return { next: () => value };
}
