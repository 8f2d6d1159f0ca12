import { ONE_SLOT } from '../core/resources';
import type { SimulatedInstance } from './fleets';

/** Hosts of batch jobs that are alike. */
export interface HostGroup {
  readonly name: string;
  readonly count: number;
  readonly cores: number;
  readonly memoryGb: number;
  readonly labels: readonly string[];
}

/** One host per count, each job of which takes a slot: cores run out first. */
export function hostsOf(groups: readonly HostGroup[]): readonly SimulatedInstance[] {
  return groups.flatMap(({ name, count, cores, memoryGb, labels }) =>
    Array.from({ length: count }, (_, n) => ({
      name: count > 1 ? `${name}-${n + 1}` : name,
      speed: 1,
      slots: cores,
      host: { capacity: { ...ONE_SLOT, slots: cores, cpu: cores, memoryGb }, labels },
    })),
  );
}

/** Clusters that go by a name: those of the recorded logs. */
export const CLUSTER_PRESETS: ReadonlyMap<string, readonly SimulatedInstance[]> = new Map([
  [
    'metacentrum',
    hostsOf([
      {
        ...{ name: 'zewura', count: 20, cores: 80, memoryGb: 504 },
        labels: ['cl_zewura', 'nodecpus80'],
      },
      {
        ...{ name: 'zegox', count: 48, cores: 12, memoryGb: 89 },
        labels: ['cl_zegox', 'nodecpus12'],
      },
    ]),
  ],
  // Memory was not recorded there: no job asks for any.
  ['kth', hostsOf([{ name: 'sp2', count: 1, cores: 100, memoryGb: 0, labels: [] }])],
]);
