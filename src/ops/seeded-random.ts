import type { Random } from '../core/ports';

/** Chance that repeats itself: the same seed gives the same numbers (xoshiro128**, Blackman and Vigna). */
export class SeededRandom implements Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed = 1) {
    // SplitMix32 spreads small seeds over the whole state, which must not be all zero.
    let x = seed | 0;
    const spread = (): number => {
      x = (x + 0x9e3779b9) | 0;
      let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) | 0;
    };
    this.a = spread();
    this.b = spread();
    this.c = spread();
    this.d = spread() || 1;
  }

  next(): number {
    const result = Math.imul(rotated(Math.imul(this.b, 5), 7), 9) >>> 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = rotated(this.d, 11);
    return result / 2 ** 32;
  }
}

/** An exponential draw with that mean. */
export function exponential(mean: number, random: Random): number {
  return -mean * Math.log(1 - random.next());
}

/** A standard normal draw (Box–Muller). */
export function standardNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

function rotated(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}
