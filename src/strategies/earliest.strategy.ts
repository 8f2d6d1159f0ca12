import type { RankedStrategy, Standing } from '../core/strategy';
import { strategyName } from '../core/units';

/** Between equally fast instances the less loaded one; never against a faster one. */
const LOAD_WEIGHT = 1e-6;

/**
 * The default: a task binds when a slot frees, to the fastest instance that has one. Equal
 * instances with one central line are clairvoyant least-work-left without any prediction
 * (SCHEDULING, section 1.3).
 */
export class EarliestStrategy implements RankedStrategy {
  readonly name = strategyName('earliest');
  readonly binding = 'late';

  rank({ speed, load }: Standing): number {
    return LOAD_WEIGHT * load - speed;
  }
}
