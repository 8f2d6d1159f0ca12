import { Module, type DynamicModule } from '@nestjs/common';
import { Registry } from 'prom-client';
import { HttpMetrics } from '../http/http-metrics';
import { JobPlaces } from './job-places';
import { LivenessController } from './liveness.controller';
import { MetricsController } from './metrics.controller';
import { OWN_ENDPOINTS, type OwnEndpoint } from './own-endpoints';
import { ProcessMetrics } from './process-metrics';
import { QueueLabels } from './queue-labels';
import { CLOCK, IDS, RANDOM, systemClock, systemIds, systemRandom } from './system';
import { TERM, type Term } from './term';
import { VersionController } from './version.controller';
import { WakeupBell } from './wakeup';

/** Time, chance, ids, the bell, the present term and its figures, and where this process listens. */
@Module({})
export class OpsModule {
  static forTerm(term: Term, own: readonly OwnEndpoint[]): DynamicModule {
    const providers = [
      { provide: CLOCK, useValue: systemClock },
      { provide: RANDOM, useValue: systemRandom },
      { provide: IDS, useValue: systemIds },
      { provide: TERM, useValue: term },
      { provide: OWN_ENDPOINTS, useValue: own },
      // The figures of a term begin and end with it.
      { provide: Registry, useFactory: () => new Registry() },
      WakeupBell,
      JobPlaces,
      QueueLabels,
    ];
    return {
      module: OpsModule,
      global: true,
      controllers: [LivenessController, VersionController, MetricsController],
      providers: [...providers, ProcessMetrics, HttpMetrics],
      exports: providers,
    };
  }
}
