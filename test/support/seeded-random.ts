import type { Random } from '../../src/core/ports';

/** Chance that repeats itself: the same seed gives the same numbers (Marsaglia's xorshift32). */
export class SeededRandom implements Random {
  private state: number;

  constructor(seed = 1) {
    // The generator never leaves 0, and small seeds start with small numbers.
    this.state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  next(): number {
    let bits = this.state;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.state = bits >>> 0;
    return this.state / 2 ** 32;
  }
}

/** Chance that always says the same. */
export function fixedRandom(value: number): Random {
  return { next: () => value };
}
