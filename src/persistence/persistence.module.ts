import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions, type DataSourceSettings } from './data-source';
import { DatabaseProbe } from './database-probe';
import { InstancesRepository } from './instances.repository';
import { KeysRepository } from './keys.repository';
import { StrategySettingsRepository } from './strategy-settings.repository';
import { TasksRepository } from './tasks.repository';

const REPOSITORIES = [
  DatabaseProbe,
  InstancesRepository,
  KeysRepository,
  StrategySettingsRepository,
  TasksRepository,
];

/**
 * The data source and the repositories, everywhere. Connects when the module is made and gives up
 * at the first failure: whoever leads tries again. Needs the present `TERM`.
 */
@Module({})
export class PersistenceModule {
  static forRoot(url: string, settings: DataSourceSettings = {}): DynamicModule {
    const options = { ...dataSourceOptions(url, settings), retryAttempts: 0 };
    return {
      module: PersistenceModule,
      global: true,
      imports: [TypeOrmModule.forRoot(options)],
      providers: REPOSITORIES,
      exports: REPOSITORIES,
    };
  }
}
