import { Module, type DynamicModule } from '@nestjs/common';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import type { CircuitNotice } from '../core/circuits';
import { Fleet, type FleetOptions } from '../core/fleet';
import { STRATEGY_CATALOG, type StrategyCatalog } from '../core/strategy';
import { strategyName } from '../core/units';
import type { Clock, Ids, Random } from '../core/ports';
import { CLOCK, IDS, RANDOM } from '../ops/system';
import { DatabaseMetrics } from './database-metrics';
import type { Log } from './log';
import { InstancesRepository } from './instances.repository';
import { LicencePoolsRepository } from './licence-pools.repository';
import { restoreFleet, restoreLicences } from './restore-fleet';
import { StrategySettingsRepository } from './strategy-settings.repository';
import { TASK_JOURNAL, type TaskJournal } from './task-journal';
import { TasksRepository } from './tasks.repository';

/** What the fleet of one term is made with. */
export interface FleetModuleOptions {
  readonly journal: TaskJournal;
  readonly strategies: StrategyCatalog;
  /** Where the fleet is heard while the application is being made, which itself is silent then. */
  readonly logger: Log;
}

/** A refused start is tried again after 100 ms, then after up to 5 s. */
const REFUSAL_BACKOFF = { firstMs: 100, mostMs: 5_000 };

/** The fleet, restored from its rows before anything is served, and the journal that keeps it. */
@Module({})
export class FleetModule {
  static forTerm({ journal, strategies, logger }: FleetModuleOptions): DynamicModule {
    const providers = [
      { provide: STRATEGY_CATALOG, useValue: strategies },
      { provide: TASK_JOURNAL, useValue: journal },
      {
        provide: Fleet,
        inject: [
          CONFIG,
          CLOCK,
          RANDOM,
          IDS,
          LicencePoolsRepository,
          TasksRepository,
          InstancesRepository,
          StrategySettingsRepository,
        ],
        useFactory: async (
          config: Config,
          clock: Clock,
          random: Random,
          ids: Ids,
          pools: LicencePoolsRepository,
          ...repositories: Repositories
        ): Promise<Fleet> => {
          const notice = (what: CircuitNotice): void => logNotice(logger, what);
          const fleet = emptyFleet(config, { clock, random, ids, strategies, notice });
          await restoreFleet(fleet, { clock, logger }, ...repositories);
          await restoreLicences(fleet, pools, config.scheduling.licencePools);
          return fleet;
        },
      },
    ];
    return {
      module: FleetModule,
      global: true,
      providers: [...providers, DatabaseMetrics],
      exports: [Fleet, TASK_JOURNAL, STRATEGY_CATALOG],
    };
  }
}

type Repositories = [TasksRepository, InstancesRepository, StrategySettingsRepository];

function emptyFleet(
  { limits, intervals, retries, circuit, scheduling, commands }: Config,
  surroundings: Pick<FleetOptions, 'clock' | 'random' | 'ids' | 'strategies' | 'notice'>,
): Fleet {
  const strategy = strategyName(scheduling.defaultStrategy);
  return new Fleet({
    ...surroundings,
    limits,
    lossBackoff: { firstMs: retries.backoffFirstMs, mostMs: retries.backoffMostMs },
    refusalBackoff: REFUSAL_BACKOFF,
    circuit: {
      faults: circuit.faults,
      pause: { firstMs: circuit.pauseFirstMs, mostMs: circuit.pauseMostMs },
      quarantine: { firstMs: circuit.quarantineFirstMs, mostMs: circuit.quarantineMostMs },
    },
    defaults: {
      strategy,
      orderG: scheduling.orderWeight,
      prefetch: 0,
      limit: limits.queuedPerQueue,
      attemptTimeoutMs: intervals.attemptTimeoutMs,
      paused: false,
    },
    placements: {
      suspectMs: intervals.suspectMs,
      landingMs: intervals.workerLandingMs,
      retentionMs: intervals.placementRetentionMs,
      most: limits.livePlacements,
    },
    batch: {
      strategy: strategyName(scheduling.batchStrategy),
      assumedLimitMs: commands.assumedLimitMs,
    },
  });
}

/** A quarantine asks for somebody to look: other workers complete what this one fails. */
function logNotice(logger: Log, { instance, state, pauseMs }: CircuitNotice): void {
  const { id: instanceId, name } = instance;
  const pause = `gets no new work for ${Math.round(pauseMs)} ms, then one task`;
  switch (state) {
    case 'open':
      logger.warn({ msg: `starts at ${name} go wrong: it ${pause}`, instanceId });
      break;
    case 'quarantined':
      logger.error({ msg: `${name} fails tasks that others complete: it ${pause}`, instanceId });
      break;
    case 'closed':
      logger.info({ msg: `${name} gets work again`, instanceId });
  }
}
