import { Inject, Injectable, Logger } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { HostTraits, Instance } from '../core/instance';
import type { Clock, Ids } from '../core/ports';
import { BATCH_QUEUE } from '../core/queue';
import { NOTHING, type Resources } from '../core/resources';
import { instanceId } from '../core/units';
import { JobHosts } from '../executors/job-hosts';
import { InTurn } from '../ops/in-turn';
import { CLOCK, IDS } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InstancesRepository, type StoredInstance } from '../persistence/instances.repository';

/** What a host is said to be. */
export interface HostRegistration extends HostTraits {
  /** The client's own id of it. */
  readonly hostId: string;
  readonly size: Pick<Resources, 'slots' | 'cpu' | 'memoryGb'>;
}

/** Hosts of batch jobs: instances that nobody can ask how large they are. */
@Injectable()
export class HostsService {
  private readonly logger = new Logger(HostsService.name);
  private readonly turns = new InTurn();

  constructor(
    private readonly fleet: Fleet,
    private readonly hosts: JobHosts,
    private readonly repository: InstancesRepository,
    private readonly bell: WakeupBell,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * Takes a host into service, or brings what is known of it up to date: its size may fall below
   * what its jobs take, and its jobs go on.
   * @throws {SchedulerError} invalid_input for a prefix that is not allowed; forbidden_transition for
   *   another way to a host that has jobs; store_unavailable
   */
  register({ hostId, size, labels, executorPrefix }: HostRegistration): Promise<Instance> {
    return this.turns.run(async () => {
      this.hosts.argumentsOf(executorPrefix);
      this.assertReachable(hostId, executorPrefix);
      const row = await this.repository.register({
        id: instanceId(this.ids.next()),
        kind: 'host',
        queue: BATCH_QUEUE,
        host: hostId,
        port: 0,
        name: hostId,
        protocol: 'enqueue',
        isAnew: false,
        size,
        traits: { labels, executorPrefix },
      });
      const instance = this.enter(row);
      this.logger.log({ msg: `registered host ${hostId}`, instanceId: instance.id });
      this.bell.signal();
      return instance;
    });
  }

  /**
   * Somebody says that the host is there.
   * @throws {SchedulerError} unknown_instance
   */
  heartbeat(hostId: string): Instance {
    const instance = this.find(hostId);
    if (!instance || instance.removed) {
      const message = `no host ${JSON.stringify(hostId)} is registered`;
      throw new SchedulerError('unknown_instance', message);
    }
    this.noteContact(instance);
    return instance;
  }

  /** The hosts in service, by name. */
  all(): readonly Instance[] {
    return [...this.fleet.instances.values()]
      .filter(({ kind, removed }) => kind === 'host' && !removed)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The host was heard of just now. */
  noteContact(host: Instance): void {
    const wasAway = host.health !== 'online';
    this.fleet.updateInstance(host, { health: 'online', lastContact: this.clock.now() });
    if (!wasAway) return;
    this.logger.log({ msg: `host ${host.name} is online`, instanceId: host.id });
    this.bell.signal();
  }

  private find(hostId: string): Instance | undefined {
    return [...this.fleet.instancesCalled(`${hostId}:0`)].find(
      ({ kind, host }) => kind === 'host' && host === hostId,
    );
  }

  /** What runs there could not be found again by another way. */
  private assertReachable(hostId: string, prefix: string): void {
    const known = this.find(hostId);
    if (!known || known.traits.executorPrefix === prefix || known.occupied === 0) return;
    const message = `host ${hostId} has ${known.occupied} jobs: its executor_prefix stays until they have ended`;
    throw new SchedulerError('forbidden_transition', message);
  }

  private enter({ size, ...row }: StoredInstance): Instance {
    const { registration, traits } = row;
    const capacity = size ?? NOTHING;
    const seen = { capacity, health: 'online' as const, lastContact: this.clock.now() };
    const known = this.fleet.instances.get(row.id);
    if (!known) return this.fleet.addInstance({ ...row, ...seen });
    if (known.removed) this.fleet.reviveInstance(known);
    this.fleet.updateInstance(known, { ...seen, registration, traits });
    // Somebody has seen to it: if it is kept from work, it is tried at once.
    this.fleet.circuits.retry(known);
    return known;
  }
}
