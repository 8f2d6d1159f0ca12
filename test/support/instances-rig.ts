import { SchedulerError } from '../../src/core/errors';
import { NO_TRAITS, type Instance } from '../../src/core/instance';
import type { InstanceId, QueueKey } from '../../src/core/units';
import { TaskInstanceClients } from '../../src/executors/task-instance.clients';
import { InstancesService } from '../../src/instances/instances.service';
import { WakeupBell } from '../../src/ops/wakeup';
import { createDataSource } from '../../src/persistence/data-source';
import {
  InstancesRepository,
  type InstanceRegistration,
  type StoredInstance,
} from '../../src/persistence/instances.repository';
import { CountingIds, fleetRig } from './builders';
import { json, WorkerStub } from './worker-stub';

const TERM = { epoch: 1, end: () => undefined };

/** Rows in memory, as long as the database is not away. */
class MemoryInstances extends InstancesRepository {
  isAway = false;
  readonly rows = new Map<InstanceId, StoredInstance>();

  constructor() {
    super(createDataSource('postgres://nobody@127.0.0.1:1/nowhere'), TERM);
  }

  override register(draft: InstanceRegistration): Promise<StoredInstance> {
    const isHere = ({ host, port }: StoredInstance) => host === draft.host && port === draft.port;
    const known = [...this.rows.values()].find(isHere);
    return this.keep({
      notifies: false,
      drainAsked: false,
      registeredWallMs: 0,
      removed: false,
      speed: { declared: 1, surplus: 0, outcomes: 0 },
      ...draft,
      size: null,
      traits: NO_TRAITS,
      id: known?.id ?? draft.id,
      registration: (known?.registration ?? 0) + 1,
    });
  }

  override async markRemoved(id: InstanceId): Promise<void> {
    await this.keep({ ...this.row(id), removed: true });
  }

  override async setQueue(id: InstanceId, queue: QueueKey): Promise<void> {
    await this.keep({ ...this.row(id), queue });
  }

  override async setName(id: InstanceId, name: string): Promise<void> {
    await this.keep({ ...this.row(id), name });
  }

  row(id: InstanceId): StoredInstance {
    const row = this.rows.get(id);
    if (!row) throw new Error(`no row ${id}`);
    return row;
  }

  private keep(row: StoredInstance): Promise<StoredInstance> {
    if (this.isAway) return Promise.reject(new SchedulerError('store_unavailable', 'away'));
    this.rows.set(row.id, row);
    return Promise.resolve(row);
  }
}

/** An empty fleet, rows in memory, and one worker that answers: `gpu7` with two replicas of model `m`. */
export class InstancesRig {
  readonly fleetRig = fleetRig();
  readonly repository = new MemoryInstances();
  readonly clients = new TaskInstanceClients({});
  readonly bell = new WakeupBell();
  readonly service = new InstancesService(
    this.fleetRig.fleet,
    this.clients,
    this.repository,
    this.bell,
    this.fleetRig.clock,
    new CountingIds(),
  );

  private constructor(readonly stub: WorkerStub) {
    this.says('m');
  }

  static async start(): Promise<InstancesRig> {
    return new InstancesRig(await WorkerStub.start());
  }

  async stop(): Promise<void> {
    await this.clients.onApplicationShutdown();
    await this.stub.stop();
  }

  /** From now on the worker names that model, and itself so. */
  says(model: string, name = 'gpu7'): void {
    const state = { replicas_running: 2, queue_size: 0, status: 'idle' };
    this.stub.on('GET /status', json({ instance_id: name, model_type: model, ...state }));
  }

  /** Registers the worker, under another name of its host where one is given. */
  register(host = this.stub.host): Promise<Instance> {
    return this.service.register({ host, port: this.stub.port, modelName: undefined });
  }
}
