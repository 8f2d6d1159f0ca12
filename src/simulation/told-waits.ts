import type { SimulatedRun } from './simulation';

/** How well the wait that `/queue/info` would have told fits the wait that came. */
export interface ToldWaits {
  /** Tasks that waited, or were told that they would. */
  readonly tasks: number;
  /** Share of them whose wait lay within ±1.28 deviations of the mean told; 0.8 is honest. */
  readonly within: number;
  /** Share of them that waited less than that, and more. */
  readonly shorter: number;
  readonly longer: number;
  /** All waits told over all waits that came. */
  readonly toldOverActual: number;
}

/** Between these deviations from its mean lie 80 % of a normal distribution. */
const DEVIATIONS_OF_80_PERCENT = 1.2815515655446004;
/** Rounding of sums, in ms. */
const SLACK_MS = 1e-6;

/** Compares what was told of the instances that the tasks ran on, where that was noted, with what came. */
export function toldWaitsOf(runs: readonly SimulatedRun[]): ToldWaits {
  let [tasks, shorter, longer, toldMs, waitedMs] = [0, 0, 0, 0, 0];
  for (const { task, startMs, told } of runs) {
    const waitMs = startMs - task.arrivalMs;
    if (told === null || (waitMs === 0 && told.meanMs === 0)) continue;
    const spanMs = DEVIATIONS_OF_80_PERCENT * told.deviationMs + SLACK_MS;
    tasks++;
    toldMs += told.meanMs;
    waitedMs += waitMs;
    if (waitMs < told.meanMs - spanMs) shorter++;
    if (waitMs > told.meanMs + spanMs) longer++;
  }
  const share = (count: number): number => (tasks === 0 ? 0 : count / tasks);
  return {
    tasks,
    within: share(tasks - shorter - longer),
    shorter: share(shorter),
    longer: share(longer),
    toldOverActual: waitedMs === 0 ? 1 : toldMs / waitedMs,
  };
}
