import type { Random } from '../core/ports';

/** Chance that repeats itself: the same seed gives the same numbers (xoshiro128**, Blackman and Vigna). */
export class SeededRandom implements Random {
  /** Integers of 32 bits: as plain fields each would be a new object with every number drawn. */
  private readonly state = new Int32Array(4);

  constructor(seed = 1) {
    // SplitMix32 spreads small seeds over the whole state, which must not be all zero.
    let x = seed | 0;
    const spread = (): number => {
      x = (x + 0x9e3779b9) | 0;
      let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) | 0;
    };
    this.state.set([spread(), spread(), spread(), spread() || 1]);
  }

  next(): number {
    const { state } = this;
    let a = state[0] ?? 0;
    let b = state[1] ?? 0;
    let c = state[2] ?? 0;
    let d = state[3] ?? 0;
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotated(d, 11);
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
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
