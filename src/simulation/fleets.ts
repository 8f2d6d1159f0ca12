import type { Resources } from '../core/resources';

/** An instance of a simulated fleet; all of them serve every task. */
export interface SimulatedInstance {
  readonly name: string;
  /** Work per ms; a task of `t` ms takes `t / speed` here. */
  readonly speed: number;
  /** What the scheduler is told of that; the true speed unless given. */
  readonly declared?: number;
  /** Tasks that it executes at once. */
  readonly slots: number;
  /** What a host of batch jobs has; absent of an instance that serves a model. */
  readonly host?: SimulatedHost;
}

/** What a host of batch jobs has. */
export interface SimulatedHost {
  readonly capacity: Resources;
  readonly labels: readonly string[];
}

const EQUAL_8 = [1, 1, 1, 1, 1, 1, 1, 1];
const MIXED_8 = [1, 1, 2, 4, 1, 1, 2, 4];

/** Fleets that go by a name: eight instances each. */
export const FLEET_PRESETS: ReadonlyMap<string, readonly SimulatedInstance[]> = new Map([
  ['equal8', fleetOf(EQUAL_8, 1)],
  ['equal8x4', fleetOf(EQUAL_8, 4)],
  ['mixed8', fleetOf(MIXED_8, 1)],
]);

function fleetOf(speeds: readonly number[], slots: number): readonly SimulatedInstance[] {
  return speeds.map((speed, n) => ({ name: `instance-${n + 1}`, speed, slots }));
}
