import { Module, type DynamicModule } from '@nestjs/common';
import { LivenessController } from './liveness.controller';
import { OWN_ENDPOINTS, type OwnEndpoint } from './own-endpoints';
import { CLOCK, IDS, RANDOM, systemClock, systemIds, systemRandom } from './system';
import { TERM, type Term } from './term';
import { VersionController } from './version.controller';
import { WakeupBell } from './wakeup';

/** Time, chance, ids, the bell, the present term and where this process listens, everywhere. */
@Module({})
export class OpsModule {
  static forTerm(term: Term, own: readonly OwnEndpoint[]): DynamicModule {
    const providers = [
      { provide: CLOCK, useValue: systemClock },
      { provide: RANDOM, useValue: systemRandom },
      { provide: IDS, useValue: systemIds },
      { provide: TERM, useValue: term },
      { provide: OWN_ENDPOINTS, useValue: own },
      WakeupBell,
    ];
    return {
      module: OpsModule,
      global: true,
      controllers: [LivenessController, VersionController],
      providers,
      exports: [CLOCK, RANDOM, IDS, TERM, OWN_ENDPOINTS, WakeupBell],
    };
  }
}
