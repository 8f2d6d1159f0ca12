import { TagIndex } from '../../src/core/tag-index';
import { SeededRandom } from '../../src/ops/seeded-random';
import type { Row } from '../figure';
import { stepCost } from '../step-cost';

const WORKERS = 10_000;
const TAGS = 200;
const TAGS_OF_WORKER = 20;
const ASKED = 3;
/** More combinations than the index remembers. */
const COMBINATIONS = 20_000;
/** Combinations that clients ask for again and again. */
const USUAL = 50;
const MOST_FIRST_MICROS = 20;
const MOST_REPEATED_MICROS = 1;

/** P4, of tags: any 3 of 200 over 10 000 workers with 20 tags each, first and repeated. */
export function tagRows(): readonly Row[] {
  const random = new SeededRandom(1);
  const some = (count: number): readonly string[] => {
    const tags = new Set<string>();
    while (tags.size < count) tags.add(`tag-${Math.floor(random.next() * TAGS)}`);
    return [...tags];
  };
  const tagsOf = Array.from({ length: WORKERS }, () => some(TAGS_OF_WORKER));
  const index = new TagIndex<number>();
  for (const [worker, tags] of tagsOf.entries()) index.set(worker, tags, random.next());
  const combinations = Array.from({ length: COMBINATIONS }, () => some(ASKED));
  const combination = (n: number): readonly string[] => combinations[n % COMBINATIONS] ?? [];

  let n = 0;
  const first = stepCost(() => void index.least(combination(n++)));
  const repeated = stepCost(() => void index.least(combination(0)));
  // Whoever is found has one task more then, and moves in every combination that it belongs to.
  const placed = stepCost(() => {
    const worker = index.least(combination(n++ % USUAL));
    if (worker !== undefined) index.set(worker, tagsOf[worker] ?? [], random.next());
  });
  const what = `${ASKED} of ${TAGS} tags over ${WORKERS} workers`;
  return [
    rowOf(`${what}, the first time`, first, MOST_FIRST_MICROS),
    rowOf(`${what}, repeated`, repeated, MOST_REPEATED_MICROS),
    rowOf(`${what}, ${USUAL} combinations in turn, each answer changes a load`, placed),
  ];
}

function rowOf(what: string, cost: { micros: number; echoMicros: number }, most?: number): Row {
  const { micros: value, echoMicros: limit } = cost;
  const row = { id: 'P4', what, value, unit: 'µs', limit, of: 'JSON echo', ratio: value / limit };
  return most === undefined ? row : { ...row, goal: `≤ ${most} µs`, reached: value <= most };
}
