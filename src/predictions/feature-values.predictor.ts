import type { Features } from './online.predictor';

/**
 * What no predictor may learn from: what was predicted elsewhere, what only a simulation knows, and
 * what steers the scheduler.
 */
const NOT_FEATURES: ReadonlySet<string> = new Set([
  'predicted_ms',
  'quantiles',
  'quantile_predictions',
  'service_ms',
  'timeout_ms',
  'priority',
  'task_id',
  'dispatch_id',
]);
/** A longer text is content, not a category. */
const LONGEST_CATEGORY = 128;
/** A task says at most so much that is kept while it lives, and its names are no longer than this. */
const MOST_FACTS = 32;
const LONGEST_NAME = 128;

/** What a task's metadata say that can be learned from: the first 32 short facts, as they are. */
export function factsIn(metadata: Features['metadata']): Features['metadata'] {
  const facts: [name: string, value: unknown][] = [];
  for (const name of Object.keys(metadata)) {
    if (facts.length === MOST_FACTS) break;
    if (isFact(metadata[name]) && !NOT_FEATURES.has(name) && name.length <= LONGEST_NAME) {
      facts.push([name, metadata[name]]);
    }
  }
  return Object.fromEntries(facts);
}

/** The numbers among the metadata, on a logarithmic scale that keeps their sign. */
export function numbersOf(metadata: Features['metadata']): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== 'number' || !Number.isFinite(value) || NOT_FEATURES.has(name)) continue;
    numbers.set(name, Math.sign(value) * Math.log1p(Math.abs(value)));
  }
  return numbers;
}

/** The short texts and truth values among the metadata. */
export function categoriesOf(metadata: Features['metadata']): ReadonlyMap<string, string> {
  const categories = new Map<string, string>();
  for (const [name, value] of Object.entries(metadata)) {
    if (NOT_FEATURES.has(name)) continue;
    if (typeof value === 'boolean') categories.set(name, String(value));
    if (typeof value === 'string' && value.length <= LONGEST_CATEGORY) categories.set(name, value);
  }
  return categories;
}

function isFact(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= LONGEST_CATEGORY;
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}
