import type { Row } from '../figure';
import { stepCost } from '../step-cost';

const WORKERS = 10_000;
const TAGS = 200;
const TAGS_OF_WORKER = 20;
const ASKED = 3;
const MOST_FIRST_MICROS = 20;
const MOST_REPEATED_MICROS = 1;

/** What finds the workers that have all of some tags. */
export interface TagFilter {
  /** Looks for a combination that it may have been asked for before. */
  find(tags: readonly string[]): unknown;
  /** Forgets what it was asked for, so that the next question is the first of its kind. */
  forget(): void;
}

/**
 * P4, of tags: any 3 of 200 over 10 000 workers with 20 tags each, first and repeated.
 * @param filterOf makes the filter over workers with these tags
 */
export function tagRows(
  filterOf: (workers: readonly (readonly string[])[]) => TagFilter,
): readonly Row[] {
  const filter = filterOf(Array.from({ length: WORKERS }, (_, n) => tagsFrom(n, TAGS_OF_WORKER)));
  let n = 0;
  const first = stepCost(() => {
    filter.forget();
    filter.find(tagsFrom(n++, ASKED));
  });
  const again = tagsFrom(0, ASKED);
  const repeated = stepCost(() => void filter.find(again));
  const what = `${ASKED} of ${TAGS} tags over ${WORKERS} workers`;
  return [
    rowOf(`${what}, the first time`, first.micros, first.echoMicros, MOST_FIRST_MICROS),
    rowOf(`${what}, repeated`, repeated.micros, repeated.echoMicros, MOST_REPEATED_MICROS),
  ];
}

/** Some tags, scattered: the strides have no common divisor with their number. */
function tagsFrom(n: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, k) => `t${(n * 7 + k * 37) % TAGS}`);
}

function rowOf(what: string, value: number, limit: number, most: number): Row {
  return {
    id: 'P4',
    what,
    value,
    unit: 'µs',
    limit,
    of: 'JSON echo',
    ratio: value / limit,
    goal: `≤ ${most} µs`,
    reached: value <= most,
  };
}
