import type { RankedStrategy, Standing } from '../core/strategy';
import { strategyName } from '../core/units';

/**
 * The default of hosts: the one of whose scarcest resource the least share is taken (contracts/apr), so
 * that jobs are spread and none crowds the others.
 */
export class LeastLoadedStrategy implements RankedStrategy {
  readonly name = strategyName('least_loaded');
  readonly binding = 'late';

  rank({ load }: Standing): number {
    return load;
  }
}
