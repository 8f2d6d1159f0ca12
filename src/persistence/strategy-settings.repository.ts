import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { SettingsChange } from '../core/queue-settings';
import type { QueueKey } from '../core/units';
import { TERM, type Term } from '../ops/term';
import { StrategySettingEntity } from './entities/strategy-setting.entity';
import { answered, inTerm } from './store';

/** Stands for every queue without settings of its own. */
const DEFAULTS_ROW = '*';

/** What was set for one queue. */
export interface StoredSettings {
  /** Null: every queue without settings of its own. */
  readonly queue: QueueKey | null;
  readonly settings: SettingsChange;
}

/** What operators have set. Writes belong to the term that is being led. */
@Injectable()
export class StrategySettingsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** Everything that was set; the settings of `null` first. */
  async all(): Promise<readonly StoredSettings[]> {
    const rows = await answered(() => this.dataSource.getRepository(StrategySettingEntity).find());
    return rows
      .map(storedSettings)
      .sort((a, b) => Number(b.queue === null) - Number(a.queue === null));
  }

  /**
   * Records what was set; what is not named stays as it is.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async set(queue: QueueKey | null, settings: SettingsChange): Promise<void> {
    const row = { ...settings, queue: queue ?? DEFAULTS_ROW, updatedAt: new Date() };
    await inTerm(this.dataSource, this.term, (manager) =>
      manager.upsert(StrategySettingEntity, row, ['queue']),
    );
  }
}

function storedSettings({ queue, ...row }: StrategySettingEntity): StoredSettings {
  const { strategy, orderG, prefetch, limit, attemptTimeoutMs, paused } = row;
  return {
    queue: queue === DEFAULTS_ROW ? null : (queue as QueueKey),
    settings: { strategy, orderG, prefetch, limit, attemptTimeoutMs, paused },
  };
}
