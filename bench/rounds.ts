import { SeededRandom } from '../src/ops/seeded-random';
import { medianOf } from '../src/simulation/spread';

const SEED = 1;

/** Something that is measured round by round, in turn with what it is compared with. */
export interface Subject<T> {
  readonly round: (n: number) => Promise<T>;
}

/**
 * Measures all of them once per round, one after the other, in an order that each round draws anew. What
 * else the machine does then meets each of them alike, and none always follows the same one.
 * @returns for each what its rounds came to, under the same names
 */
export async function interleaved<N extends string, T>(
  rounds: number,
  subjects: Readonly<Record<N, Subject<T>>>,
): Promise<Readonly<Record<N, readonly T[]>>> {
  const names = Object.keys(subjects) as N[];
  const seen = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<N, T[]>;
  const random = new SeededRandom(SEED);
  for (let n = 0; n < rounds; n += 1) {
    for (const name of shuffled(names, random)) seen[name].push(await subjects[name].round(n));
  }
  return seen;
}

function shuffled<T>(items: readonly T[], random: SeededRandom): readonly T[] {
  const drawn = items.map((item) => ({ item, place: random.next() }));
  return drawn.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

/** The median of one property over the rounds. */
export function median<T>(rounds: readonly T[], of: (round: T) => number): number {
  return medianOf(rounds.map(of)) ?? NaN;
}

/** The median of what one has over the other, round by round. */
export function medianRatio<T>(
  rounds: readonly T[],
  over: readonly T[],
  of: (round: T) => number,
): number {
  const ratios = rounds.flatMap((round, n) => {
    const other = over[n];
    return other === undefined ? [] : [of(round) / of(other)];
  });
  return medianOf(ratios) ?? NaN;
}
