import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { ALERTS_ROUTES } from './alerts/alerts.controller';
import { AlertsModule } from './alerts/alerts.module';
import { ConfigModule } from './config/config.module';
import type { Config } from './config/config.schema';
import type { StrategyCatalog } from './core/strategy';
import { aprDialect } from './dialects/apr/apr.dialect';
import { AprModule } from './dialects/apr/apr.module';
import { dtaskDialect } from './dialects/dtask/dtask.dialect';
import { DtaskModule } from './dialects/dtask/dtask.module';
import { predictorDialect } from './dialects/predictor/predictor.dialect';
import { PredictorModule } from './dialects/predictor/predictor.module';
import { SwarmpilotModule } from './dialects/swarmpilot/swarmpilot.module';
import { swarmpilotDialect } from './dialects/swarmpilot/swarmpilot.dialect';
import { ExecutorsModule } from './executors/executors.module';
import { HealthModule } from './health/health.module';
import { READINESS_ROUTES } from './health/readiness.controller';
import type { Dialect } from './http/dialect';
import { OPENAPI_ROUTES } from './http/openapi';
import { nativeDialect } from './http/problem-details';
import { InstancesModule } from './instances/instances.module';
import { INSTANCES_ROUTES } from './instances/instances.controller';
import { LICENCE_POOLS_ROUTES } from './instances/licence-pools.controller';
import { LIVENESS_ROUTES } from './ops/liveness.controller';
import { METRICS_ROUTES } from './ops/metrics.controller';
import { OpsModule } from './ops/ops.module';
import type { OwnEndpoint } from './ops/own-endpoints';
import type { Term } from './ops/term';
import { VERSION_ROUTES } from './ops/version.controller';
import { FleetModule } from './persistence/fleet.module';
import type { TaskJournal } from './persistence/task-journal';
import { PersistenceModule } from './persistence/persistence.module';
import type { LookupReloader } from './predictions/lookup-reloader';
import { PREDICTIONS_ROUTES } from './predictions/predictions.controller';
import { PredictionsModule } from './predictions/predictions.module';
import { BATCH_QUEUE_ROUTES } from './queues/batch-queue.controller';
import { QUEUES_ROUTES } from './queues/queues.controller';
import { QueuesModule } from './queues/queues.module';
import { STRATEGIES_ROUTES } from './strategies/strategies.controller';
import { StrategiesModule } from './strategies/strategies.module';
import { TASKS_ROUTES } from './tasks/tasks.controller';
import { TasksModule } from './tasks/tasks.module';
import type { NonEmpty } from './core/units';
import type { DataSource } from 'typeorm';

/** What one term of leadership is made with. */
export interface TermOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly term: Term;
  readonly ownEndpoints: readonly OwnEndpoint[];
  readonly strategies: StrategyCatalog;
  readonly lookup: LookupReloader;
  readonly logger: Logger;
}

/** What connects a term with the database: its journal, and everything else. */
export interface TermStore {
  readonly journal: TaskJournal;
  readonly dataSource: DataSource;
}

/** Everything that is spoken here; the native API owns what is nobody else's. */
export const DIALECTS: NonEmpty<Dialect> = [
  swarmpilotDialect,
  aprDialect,
  dtaskDialect,
  predictorDialect,
  nativeDialect([
    ...LIVENESS_ROUTES,
    ...READINESS_ROUTES,
    ...VERSION_ROUTES,
    ...METRICS_ROUTES,
    ...OPENAPI_ROUTES,
    ...ALERTS_ROUTES,
    ...INSTANCES_ROUTES,
    ...LICENCE_POOLS_ROUTES,
    ...PREDICTIONS_ROUTES,
    ...QUEUES_ROUTES,
    ...BATCH_QUEUE_ROUTES,
    ...STRATEGIES_ROUTES,
    ...TASKS_ROUTES,
  ]),
];

/**
 * The scheduler while it leads. It is made anew for every term, so that nothing of an old term
 * survives in memory.
 */
@Module({})
export class AppModule {
  /** @param store whoever made it opens and closes it */
  static forTerm(options: TermOptions, { journal, dataSource }: TermStore): DynamicModule {
    const { config, term, strategies, lookup, logger } = options;
    return {
      module: AppModule,
      imports: [
        LoggerModule.forRoot({ pinoHttp: { logger, autoLogging: false }, forRoutes: [] }),
        ConfigModule.forRoot(config),
        OpsModule.forTerm(term, options.ownEndpoints),
        PersistenceModule.forTerm(dataSource),
        FleetModule.forTerm({ journal, strategies, logger }),
        ScheduleModule.forRoot(),
        ExecutorsModule,
        PredictionsModule.forTerm(lookup),
        StrategiesModule,
        InstancesModule,
        TasksModule,
        QueuesModule,
        HealthModule,
        AlertsModule,
        SwarmpilotModule,
        AprModule,
        DtaskModule,
        PredictorModule,
      ],
    };
  }
}
