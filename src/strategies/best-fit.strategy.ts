import type { RankedStrategy, Standing } from '../core/strategy';
import { strategyName } from '../core/units';

/** Between hosts with as many cores free, the one with less memory free; never against one with fewer cores. */
const MEMORY_WEIGHT = 1e-6;
/** Between hosts that are alike in that, the one with fewer slots free. */
const SLOT_WEIGHT = 1e-9;

/**
 * Where the least is left over: of the hosts that have room, the one with the fewest cores free. It
 * keeps the emptiest hosts whole for wide jobs, which so wait less where sizes differ (SCHEDULING,
 * section 1.6).
 */
export class BestFitStrategy implements RankedStrategy {
  readonly name = strategyName('best_fit');
  readonly binding = 'late';

  rank({ room }: Standing): number {
    return room.cpu + MEMORY_WEIGHT * room.memoryGb + SLOT_WEIGHT * room.slots;
  }
}
