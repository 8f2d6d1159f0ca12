import { z } from 'zod';
import { readYamlFile } from '../config/yaml-file';
import { hostsOf } from './clusters';
import type { SimulatedInstance } from './fleets';

const ENTRY = z.strictObject({
  name: z.string().min(1).max(256).optional(),
  speed: z.number().positive().max(1e6).default(1),
  slots: z.int().min(1).max(10_000).default(1),
  count: z.int().min(1).max(10_000).default(1),
});
const FILE = z.strictObject({ instances: z.array(ENTRY).min(1) });

const HOSTS = z.strictObject({
  name: z.string().min(1).max(256).optional(),
  cores: z.number().positive().max(1e6),
  memory_gb: z.number().nonnegative().max(1e9).optional(),
  labels: z.array(z.string().min(1).max(256)).default([]),
  count: z.int().min(1).max(10_000).default(1),
});
const CLUSTER = z.strictObject({ hosts: z.array(HOSTS).min(1) });

/**
 * Reads a cluster of batch hosts: `hosts: [{name?, cores, memory_gb?, labels?, count?}]`; without
 * `memory_gb` there is enough for every job.
 * @throws {YamlFileError} with every fault and its line
 */
export function readClusterFile(file: string): readonly SimulatedInstance[] {
  const { hosts } = readYamlFile('cluster file', file, CLUSTER);
  return hosts.flatMap(({ name, memory_gb: memoryGb = Infinity, ...host }, n) =>
    hostsOf([{ ...host, memoryGb, name: name ?? `group-${n + 1}` }]),
  );
}

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
