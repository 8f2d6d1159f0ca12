import type { Resources } from '../core/resources';
import type { SimulatedInstance } from './fleets';

/** One task of a simulation, with what only a simulation knows: how long it will really run. */
export interface SimulatedTask {
  /** Counts from 0 in the order of arrival. */
  readonly index: number;
  readonly arrivalMs: number;
  readonly model: string;
  /** What a client would send along. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** True service time at speed 1 in ms. */
  readonly serviceMs: number;
  /** What a batch job asks for; absent of a task for a model. */
  readonly job?: SimulatedJob;
}

/** What a batch job asks for. */
export interface SimulatedJob {
  readonly owner: string;
  readonly demand: Resources;
  /** Names of labels that its host must have. */
  readonly labels: readonly string[];
  /** `Infinity`: its owner did not say. */
  readonly limitMs: number;
}

/**
 * Stretches or squeezes the arrivals, keeping their order and shape, so that the offered load is as
 * asked: all work of the tasks (of jobs on all their cores), over what the fleet can work off between first and last arrival.
 *
 * @param load share of the fleet's capacity, above 0
 */
export function stretchedToLoad(
  tasks: readonly SimulatedTask[],
  fleet: readonly SimulatedInstance[],
  load: number,
): readonly SimulatedTask[] {
  const begin = tasks[0]?.arrivalMs ?? 0;
  const span = (tasks.at(-1)?.arrivalMs ?? 0) - begin;
  const work = tasks.reduce(
    (sum, { serviceMs, job }) => sum + serviceMs * (job?.demand.cpu ?? 1),
    0,
  );
  const capacity = fleet.reduce((sum, { speed, slots }) => sum + speed * slots, 0);
  const factor = span > 0 ? work / (capacity * load) / span : 0;
  return tasks.map((task) => ({ ...task, arrivalMs: (task.arrivalMs - begin) * factor }));
}
