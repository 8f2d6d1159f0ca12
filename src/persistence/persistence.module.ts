import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { AlertsRepository } from './alerts.repository';
import { DatabaseProbe } from './database-probe';
import { InstancesRepository } from './instances.repository';
import { InvariantsRepository } from './invariants.repository';
import { JobsRepository } from './jobs.repository';
import { KeysRepository } from './keys.repository';
import { LearnedModelsRepository } from './learned-models.repository';
import { LicencePoolsRepository } from './licence-pools.repository';
import { ModelTasksRepository } from './model-tasks.repository';
import { OutcomesRepository } from './outcomes.repository';
import { PredictionSettingsRepository } from './prediction-settings.repository';
import { StrategySettingsRepository } from './strategy-settings.repository';
import { TaskListRepository } from './task-list.repository';
import { TaskStatisticsRepository } from './task-statistics.repository';
import { TasksRepository } from './tasks.repository';
import { WorkersRepository } from './workers.repository';

const REPOSITORIES = [
  AlertsRepository,
  DatabaseProbe,
  InstancesRepository,
  InvariantsRepository,
  JobsRepository,
  KeysRepository,
  LearnedModelsRepository,
  LicencePoolsRepository,
  ModelTasksRepository,
  OutcomesRepository,
  PredictionSettingsRepository,
  StrategySettingsRepository,
  TaskListRepository,
  TaskStatisticsRepository,
  TasksRepository,
  WorkersRepository,
];

/**
 * The data source and the repositories, everywhere. Connects when the module is made and gives up
 * at the first failure: whoever leads tries again. Needs the present `TERM`.
 */
@Module({})
export class PersistenceModule {
  /** @param dataSource whoever made it closes it when the application cannot be made */
  static forTerm(dataSource: DataSource): DynamicModule {
    const { options } = dataSource;
    return {
      module: PersistenceModule,
      global: true,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...options, retryAttempts: 0 }),
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
      ],
      providers: REPOSITORIES,
      exports: REPOSITORIES,
    };
  }
}
