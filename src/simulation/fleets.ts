import { z } from 'zod';
import { readYamlFile } from '../config/yaml-file';

/** An instance of a simulated fleet; all of them serve every task. */
export interface SimulatedInstance {
  readonly name: string;
  /** Work per ms; a task of `t` ms takes `t / speed` here. */
  readonly speed: number;
  /** Tasks that it executes at once. */
  readonly slots: number;
}

const EQUAL_8 = [1, 1, 1, 1, 1, 1, 1, 1];
const MIXED_8 = [1, 1, 2, 4, 1, 1, 2, 4];

/** Fleets that go by a name: eight instances each. */
export const FLEET_PRESETS: ReadonlyMap<string, readonly SimulatedInstance[]> = new Map([
  ['equal8', fleetOf(EQUAL_8, 1)],
  ['equal8x4', fleetOf(EQUAL_8, 4)],
  ['mixed8', fleetOf(MIXED_8, 1)],
]);

const ENTRY = z.strictObject({
  name: z.string().min(1).max(256).optional(),
  speed: z.number().positive().max(1e6).default(1),
  slots: z.int().min(1).max(10_000).default(1),
  count: z.int().min(1).max(10_000).default(1),
});
const FILE = z.strictObject({ instances: z.array(ENTRY).min(1) });

/**
 * Reads a fleet: `instances: [{name?, speed?, slots?, count?}]`, each 1 unless it says otherwise.
 * @throws {YamlFileError} with every fault and its line
 */
export function readFleetFile(file: string): readonly SimulatedInstance[] {
  const fleet: SimulatedInstance[] = [];
  for (const { name, speed, slots, count } of readYamlFile('fleet file', file, FILE).instances) {
    for (let n = 1; n <= count; n++) {
      const own = name ?? `instance-${fleet.length + 1}`;
      const isOneOfMany = count > 1 && name !== undefined;
      fleet.push({ name: isOneOfMany ? `${own}-${n}` : own, speed, slots });
    }
  }
  return fleet;
}

function fleetOf(speeds: readonly number[], slots: number): readonly SimulatedInstance[] {
  return speeds.map((speed, n) => ({ name: `instance-${n + 1}`, speed, slots }));
}
