import { Inject, Injectable, Logger } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { QueueSettings } from '../core/queue';
import { STRATEGY_CATALOG, type StrategyCatalog } from '../core/strategy';
import { strategyName, type QueueKey, type StrategyName } from '../core/units';
import { WakeupBell } from '../ops/wakeup';
import { StrategySettingsRepository } from '../persistence/strategy-settings.repository';

/** Chooses the strategy of a queue, or of all. */
@Injectable()
export class StrategiesService {
  private readonly logger = new Logger(StrategiesService.name);

  constructor(
    private readonly fleet: Fleet,
    @Inject(STRATEGY_CATALOG) private readonly catalog: StrategyCatalog,
    private readonly repository: StrategySettingsRepository,
    private readonly bell: WakeupBell,
  ) {}

  /** The names that may be chosen. */
  names(): readonly StrategyName[] {
    return this.catalog.names();
  }

  /** The settings of one queue; of `null`, those of queues without settings of their own. */
  settingsOf(queue: QueueKey | null): QueueSettings {
    return queue === null ? this.fleet.defaultSettings : this.fleet.settingsFor(queue);
  }

  /**
   * Takes effect on the next placement and survives a restart.
   * @param queue null: every queue without settings of its own
   * @throws {SchedulerError} unknown_strategy, with the valid names; store_unavailable
   */
  async choose(name: string, queue: QueueKey | null): Promise<QueueSettings> {
    if (!this.catalog.has(name)) {
      const allowed = this.catalog.names();
      const message = `unknown strategy ${JSON.stringify(name)}; valid: ${allowed.join(', ')}`;
      throw new SchedulerError('unknown_strategy', message, { allowed });
    }
    const settings = { ...this.settingsOf(queue), strategy: strategyName(name) };
    await this.repository.set(queue, { strategy: settings.strategy });
    this.fleet.configure(queue, settings);
    this.logger.log(`${queue ?? 'every queue'} is placed by ${name} from now on`);
    this.bell.signal();
    return settings;
  }
}
