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
