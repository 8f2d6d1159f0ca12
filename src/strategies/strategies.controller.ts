import { Controller, Get, Inject } from '@nestjs/common';
import { Fleet } from '../core/fleet';
import { STRATEGY_CATALOG, type StrategyCatalog } from '../core/strategy';
import type { DialectRoute } from '../http/dialect';
import type { Plain } from '../http/dto-fields';
import { NativeRoute } from '../http/native-route';
import { StrategiesDto } from './dto/strategy.dto';

/** The native calls about strategies. */
export const STRATEGIES_ROUTES: readonly DialectRoute[] = [
  { method: 'GET', path: '/v1/strategies', access: 'dialect' },
];

/** What a queue may be placed by. */
@Controller('/v1/strategies')
export class StrategiesController {
  constructor(
    private readonly fleet: Fleet,
    @Inject(STRATEGY_CATALOG) private readonly catalog: StrategyCatalog,
  ) {}

  /** List the strategies that may be chosen. */
  @Get()
  @NativeRoute({
    operationId: 'listStrategies',
    answer: StrategiesDto,
    example: {
      strategies: [
        { name: 'earliest', binding: 'late' },
        { name: 'shortest_queue', binding: 'early' },
      ],
      default: 'earliest',
    },
  })
  list(): Plain<StrategiesDto> {
    const known = this.catalog.names().map((name) => this.catalog.create(name));
    return {
      strategies: known.map(({ name, binding }) => ({ name, binding })),
      default: this.fleet.defaultSettings.strategy,
    };
  }
}
