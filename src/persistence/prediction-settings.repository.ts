import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TERM, type Term } from '../ops/term';
import { PredictionSettingEntity } from './entities/prediction-setting.entity';
import { answered, inTerm } from './store';

const ROW = 'scheduler';

/** What operators have set about predictions. Writes belong to the term that is being led. */
@Injectable()
export class PredictionSettingsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** The mode that was set; null when none was. */
  async mode(): Promise<string | null> {
    const settings = this.dataSource.getRepository(PredictionSettingEntity);
    const row = await answered(() => settings.findOneBy({ name: ROW }));
    return row?.mode ?? null;
  }

  /** @throws {SchedulerError} store_unavailable, not_leading */
  async setMode(mode: string): Promise<void> {
    const row = { name: ROW, mode, updatedAt: new Date() };
    await inTerm(this.dataSource, this.term, (manager) =>
      manager.upsert(PredictionSettingEntity, row, ['name']),
    );
  }
}
