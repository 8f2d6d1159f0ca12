import { amount, type Amount } from './amount';
import type { EngineTask } from './engine';

/**
 * How long an execution of the task may take, ms: `metadata.timeout_ms`, but never more than the
 * worker's own limit. A limit of 0 ends it at once.
 */
export function timeLimitOf(
  { metadata }: EngineTask,
  limitMs: number,
): Extract<Amount, { ok: false }> | { readonly ok: true; readonly value: number } {
  const told = amount(metadata, 'timeout_ms');
  return told.ok ? { ok: true, value: Math.min(limitMs, told.value ?? limitMs) } : told;
}
