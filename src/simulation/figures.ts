import { spreadOf, type Spread } from './spread';
import type { SimulatedInstance } from './fleets';
import type { SimulatedRun } from './simulation';

/** What a simulation came to. Times in seconds. */
export interface Figures {
  readonly tasks: number;
  /** From arrival to start. */
  readonly wait: Spread;
  /** From arrival to end. */
  readonly response: Spread;
  /** Response over service time. */
  readonly slowdown: { readonly mean: number | null };
  /** From the first arrival to the last end. */
  readonly makespan: number;
  /** Share of the fleet's slots, or of the cluster's cores, that was busy during that time. */
  readonly utilisation: number;
}

/** Figures over those of clairvoyant least-work-left on the same tasks. */
export interface Ratio {
  readonly waitMean: number | null;
  readonly waitP99: number | null;
  readonly responseMean: number | null;
  readonly responseP99: number | null;
}

/** What the runs of one simulation came to. */
export function figuresOf(
  runs: readonly SimulatedRun[],
  fleet: readonly SimulatedInstance[],
): Figures {
  const slots = fleet.reduce((sum, instance) => sum + instance.slots, 0);
  return figuresOver(runs, slots, () => 1);
}

/**
 * @param places how many there are of what runs take
 * @param taken how many of them a run takes
 */
export function figuresOver(
  runs: readonly SimulatedRun[],
  places: number,
  taken: (run: SimulatedRun) => number,
): Figures {
  const seconds = (pick: (run: SimulatedRun) => number): number[] =>
    runs.map((r) => pick(r) / 1000);
  const begin = runs.reduce((first, { task }) => Math.min(first, task.arrivalMs), Infinity);
  const end = runs.reduce((last, { endMs }) => Math.max(last, endMs), 0);
  const makespan = runs.length === 0 ? 0 : (end - begin) / 1000;
  const busy = runs.reduce((sum, run) => sum + taken(run) * (run.endMs - run.startMs), 0) / 1000;
  const slowdowns = runs.map(({ task, startMs, endMs }) =>
    endMs > startMs ? (endMs - task.arrivalMs) / (endMs - startMs) : 1,
  );
  return {
    tasks: runs.length,
    wait: spreadOf(seconds(({ task, startMs }) => startMs - task.arrivalMs)),
    response: spreadOf(seconds(({ task, endMs }) => endMs - task.arrivalMs)),
    slowdown: { mean: spreadOf(slowdowns).mean },
    makespan,
    utilisation: makespan > 0 ? busy / (makespan * places) : 0,
  };
}

/** Null where the other figure is 0 or there is none. */
export function ratioOf(figures: Figures, to: Figures): Ratio {
  return {
    waitMean: quotient(figures.wait.mean, to.wait.mean),
    waitP99: quotient(figures.wait.p99, to.wait.p99),
    responseMean: quotient(figures.response.mean, to.response.mean),
    responseP99: quotient(figures.response.p99, to.response.p99),
  };
}

/** Null where the other figure is 0 or there is none. */
export function quotient(value: number | null, by: number | null): number | null {
  return value === null || by === null || by === 0 ? null : value / by;
}
