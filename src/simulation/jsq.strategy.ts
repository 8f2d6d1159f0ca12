import type { RankedStrategy, Standing } from '../core/strategy';
import { strategyName } from '../core/units';

/** Join the shortest queue by count, as a balancer does that predicts nothing. */
export class JsqStrategy implements RankedStrategy {
  readonly name = strategyName('jsq');
  readonly binding = 'early';

  rank({ occupied, waiting, slots }: Standing): number {
    return (Math.min(occupied, slots) + waiting) / slots;
  }
}
