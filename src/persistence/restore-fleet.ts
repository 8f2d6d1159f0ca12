import { isSchedulerError } from '../core/errors';
import type { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import { queueInWords } from '../core/queue';
import { NOTHING } from '../core/resources';
import type { SettingsChange } from '../core/queue-settings';
import type { QueueKey } from '../core/units';
import type { Log } from './log';
import type { InstancesRepository } from './instances.repository';
import type { LicencePoolsRepository } from './licence-pools.repository';
import type { StrategySettingsRepository } from './strategy-settings.repository';
import type { TasksRepository } from './tasks.repository';

/**
 * Takes everything that is live into memory: settings, instances, then tasks in the order of their
 * reservation (a worker's queue is a FIFO) or submission. Instances are suspect until they answer, which the prober sees to at once.
 */
export async function restoreFleet(
  fleet: Fleet,
  { clock, logger }: { readonly clock: Clock; readonly logger: Log },
  tasks: TasksRepository,
  instances: InstancesRepository,
  settings: StrategySettingsRepository,
): Promise<void> {
  for (const { queue, settings: set } of await settings.all()) {
    const unknown = restoreSettings(fleet, queue, set);
    if (unknown !== undefined) logger.error({ msg: unknown });
  }
  const retired: Instance[] = [];
  for (const { removed, size, ...row } of await instances.all()) {
    const lastContact = clock.now();
    const instance = fleet.addInstance({
      ...row,
      capacity: size ?? NOTHING,
      health: 'suspect',
      lastContact,
    });
    if (removed) retired.push(instance);
  }
  // Between two pages the lease can be renewed.
  await tasks.eachLive((page) => {
    for (const task of page) fleet.restore(task);
  });
  // They are there for the attempts that still occupy them, and only now can those be counted.
  for (const instance of retired) fleet.removeInstance(instance);
}

/** Licence pools as they were set, and as the settings have them: those go before. */
export async function restoreLicences(
  fleet: Fleet,
  repository: LicencePoolsRepository,
  settings: Readonly<Record<string, number>>,
): Promise<void> {
  const pools = new Map([...(await repository.all()), ...Object.entries(settings)]);
  for (const [name, tokens] of pools) fleet.licences.set(name, tokens);
}

/**
 * A strategy may have come from a file that is no longer named: the queue goes on with the default.
 * @returns a complaint, when it is so
 */
function restoreSettings(
  fleet: Fleet,
  queue: QueueKey | null,
  settings: SettingsChange,
): string | undefined {
  try {
    fleet.configure(queue, settings);
    return undefined;
  } catch (error) {
    if (!isSchedulerError(error, 'unknown_strategy')) throw error;
    fleet.configure(queue, { ...settings, strategy: null });
    const { strategy } = queue === null ? fleet.defaultSettings : fleet.settingsFor(queue);
    const whose = queue === null ? 'every queue' : queueInWords(queue);
    return `${whose} was set to ${String(settings.strategy)}, which is not there any more: ${strategy} is used`;
  }
}
