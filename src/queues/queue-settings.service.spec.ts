import { Logger } from '@nestjs/common';
import { fleetRig } from '../../test/support/builders';
import { BATCH_QUEUE } from '../core/queue';
import type { SettingsChange } from '../core/queue-settings';
import { strategyName } from '../core/units';
import { WakeupBell } from '../ops/wakeup';
import type { StrategySettingsRepository } from '../persistence/strategy-settings.repository';
import { QueueSettingsService } from './queue-settings.service';

describe('QueueSettingsService', () => {
  it('writes no strategy down that is not for a queue of jobs', async () => {
    Logger.overrideLogger(false);
    const { fleet, options } = fleetRig();
    const written: SettingsChange[] = [];
    const repository: Pick<StrategySettingsRepository, 'set'> = {
      set: (_queue, change) => Promise.resolve(void written.push(change)),
    };
    const service = new QueueSettingsService(
      fleet,
      options.strategies,
      repository as StrategySettingsRepository,
      new WakeupBell(),
    );
    const early = { strategy: strategyName('shortest_queue') };
    await expect(service.change(BATCH_QUEUE, early)).rejects.toThrow(
      /valid: earliest, least_loaded/,
    );
    const packed = { strategy: strategyName('best_fit') };
    await service.change(BATCH_QUEUE, packed);
    expect([written, fleet.settingsFor(BATCH_QUEUE).strategy]).toEqual([[packed], 'best_fit']);
  });
});
