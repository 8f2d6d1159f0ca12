import { Inject, Injectable, Logger } from '@nestjs/common';
import { Fleet } from '../core/fleet';
import { queueInWords } from '../core/queue';
import type { SettingsChange } from '../core/queue-settings';
import { STRATEGY_CATALOG, strategyFor, type StrategyCatalog } from '../core/strategy';
import type { QueueKey } from '../core/units';
import { InTurn } from '../ops/in-turn';
import { WakeupBell } from '../ops/wakeup';
import { StrategySettingsRepository } from '../persistence/strategy-settings.repository';

/** Sets how queues are served: strategy, order, limits, pause. */
@Injectable()
export class QueueSettingsService {
  private readonly logger = new Logger(QueueSettingsService.name);
  private readonly turns = new InTurn();

  constructor(
    private readonly fleet: Fleet,
    @Inject(STRATEGY_CATALOG) private readonly catalog: StrategyCatalog,
    private readonly repository: StrategySettingsRepository,
    private readonly bell: WakeupBell,
  ) {}

  /**
   * Takes effect on the next placement and survives a restart. The queue need not be there yet.
   * @param queue null: every queue without such a setting of its own
   * @throws {SchedulerError} unknown_strategy, with the names that are valid there; store_unavailable, not_leading
   */
  async change(queue: QueueKey | null, change: SettingsChange): Promise<void> {
    if (change.strategy) strategyFor(queue, change.strategy, this.catalog);
    await this.turns.run(async () => {
      await this.repository.set(queue, change);
      this.fleet.configure(queue, change);
      const whose = queue === null ? 'every queue' : queueInWords(queue);
      this.logger.log({ msg: `settings of ${whose} changed`, ...change });
      this.bell.signal();
    });
  }
}
