import { Module, type DynamicModule } from '@nestjs/common';
import { LivenessController } from './liveness.controller';
import { CLOCK, IDS, RANDOM, systemClock, systemIds, systemRandom } from './system';
import { TERM, type Term } from './term';
import { WakeupBell } from './wakeup';

/** Time, chance, ids, the bell and the present term, everywhere. */
@Module({})
export class OpsModule {
  static forTerm(term: Term): DynamicModule {
    const providers = [
      { provide: CLOCK, useValue: systemClock },
      { provide: RANDOM, useValue: systemRandom },
      { provide: IDS, useValue: systemIds },
      { provide: TERM, useValue: term },
      WakeupBell,
    ];
    return {
      module: OpsModule,
      global: true,
      controllers: [LivenessController],
      providers,
      exports: [CLOCK, RANDOM, IDS, TERM, WakeupBell],
    };
  }
}
