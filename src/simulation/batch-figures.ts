import type { Spread } from './spread';
import { spreadOf } from './spread';

/** What became of one batch job. Times in seconds. */
export interface BatchRun {
  readonly waitSeconds: number;
  readonly runSeconds: number;
  /** CPUs that it had. */
  readonly width: number;
}

/** What batch runs came to, beside what all runs come to. */
export interface BatchFigures {
  /** Response over run time, which counts as at least 10 s, and at least 1 (Feitelson, 1997). */
  readonly boundedSlowdown: { readonly mean: number | null };
  /** Of the widest 5 % of the jobs, the first to starve where narrow ones overtake. */
  readonly widest5: { readonly waitMean: number | null };
}

/** A job that is shorter than this, in s, is slowed down by a wait no more than one of that length. */
const SHORT_SECONDS = 10;
const WIDEST_SHARE = 0.05;

/** At least one job is among the widest. */
export function batchFiguresOf(runs: readonly BatchRun[]): BatchFigures {
  const byWidth = [...runs].sort((a, b) => b.width - a.width);
  const widest = byWidth.slice(0, Math.ceil(runs.length * WIDEST_SHARE));
  return {
    boundedSlowdown: { mean: meanOf(runs.map(boundedSlowdown)) },
    widest5: { waitMean: meanOf(widest.map(({ waitSeconds }) => waitSeconds)) },
  };
}

function boundedSlowdown({ waitSeconds, runSeconds }: BatchRun): number {
  return Math.max(1, (waitSeconds + runSeconds) / Math.max(SHORT_SECONDS, runSeconds));
}

function meanOf(values: readonly number[]): Spread['mean'] {
  return spreadOf(values).mean;
}
