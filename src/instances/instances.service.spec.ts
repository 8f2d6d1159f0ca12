import { Logger } from '@nestjs/common';
import { CountingIds, fleetRig, type FleetRig } from '../../test/support/builders';
import { json, WorkerStub } from '../../test/support/worker-stub';
import { SchedulerError } from '../core/errors';
import { NO_TRAITS, type Instance } from '../core/instance';
import { queueKey } from '../core/queue';
import { instanceId, type InstanceId, type QueueKey } from '../core/units';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { WakeupBell } from '../ops/wakeup';
import { createDataSource } from '../persistence/data-source';
import {
  InstancesRepository,
  type InstanceRegistration,
  type StoredInstance,
} from '../persistence/instances.repository';
import { InstancesService } from './instances.service';

const TERM = { epoch: 1, end: () => undefined };

/** Rows in memory, as long as the database is not away. */
class MemoryRepository extends InstancesRepository {
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

describe('InstancesService', () => {
  const clients = new TaskInstanceClients({});
  const stubs: WorkerStub[] = [];
  let rig: FleetRig;
  let repository: MemoryRepository;
  let service: InstancesService;
  let stub: WorkerStub;

  beforeAll(() => {
    Logger.overrideLogger(false);
  });
  beforeEach(async () => {
    rig = fleetRig();
    repository = new MemoryRepository();
    const { fleet, clock } = rig;
    const bell = new WakeupBell();
    service = new InstancesService(fleet, clients, repository, bell, clock, new CountingIds());
    stub = await WorkerStub.start();
    stubs.push(stub);
    says('m');
  });
  afterAll(async () => {
    await clients.onApplicationShutdown();
    await Promise.all(stubs.map((each) => each.stop()));
  });

  /** From now on the worker names that model, and itself so. */
  function says(model: string, name = 'gpu7'): void {
    const state = { replicas_running: 2, queue_size: 0, status: 'idle' };
    stub.on('GET /status', json({ instance_id: name, model_type: model, ...state }));
  }

  const register = (host = stub.host): Promise<Instance> =>
    service.register({ host, port: stub.port, modelName: undefined });
  const standing = ({ queue, name, slots }: Instance) => ({ queue, name, slots });

  it('follows an instance to another model, and not to a third within ten seconds', async () => {
    const instance = await register();
    says('second');
    await service.probe(instance);
    says('third');
    await service.probe(instance);
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'second'), slots: 0 });
    rig.clock.advance(9_999);
    await service.probe(instance);
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'second'), slots: 0 });
    rig.clock.advance(1);
    await service.probe(instance);
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'third'), slots: 2 });
    expect([...rig.fleet.queues.keys()]).toEqual([queueKey('model', 'third')]);
  });

  it('follows it at once when the change was asked for', async () => {
    const instance = await register();
    for (const model of ['second', 'third']) {
      says(model);
      await service.probe(instance, true);
    }
    expect(standing(instance)).toMatchObject({ queue: queueKey('model', 'third'), slots: 2 });
  });

  it('changes model and name in its row first, and tries again while that fails', async () => {
    const instance = await register();
    says('second', 'gpu8');
    repository.isAway = true;
    await service.probe(instance);
    expect(standing(instance)).toEqual({ queue: queueKey('model', 'm'), name: 'gpu7', slots: 0 });
    expect(instance.health).toBe('online');
    repository.isAway = false;
    await service.probe(instance);
    const now = { queue: queueKey('model', 'second'), name: 'gpu8' };
    expect(standing(instance)).toEqual({ ...now, slots: 2 });
    expect(repository.row(instance.id)).toMatchObject(now);
  });

  it('takes over the registration of a row that is expected again', async () => {
    const instance = await register();
    const { host, port } = stub;
    const again = await service.expect({ host, port, modelName: 'm' });
    expect(again).toBe(instance);
    expect(instance.registration).toBe(repository.row(instance.id).registration);
  });

  it('sees that two addresses are one worker', async () => {
    const first = await register();
    expect(service.twinOf(first)).toBeUndefined();
    const second = await register('localhost');
    expect([service.twinOf(second), service.twinOf(first)]).toEqual([first, second]);
    await service.remove({ id: second.id });
    expect(service.twinOf(first)).toBeUndefined();
  });

  it('removes by id or by address, and nobody who only has such a name', async () => {
    says('m', '10.0.0.1:80');
    const instance = await register();
    const { host, port } = stub;
    expect(await service.remove({ host: '10.0.0.1', port: 80 })).toBeUndefined();
    expect(await service.remove({ id: instanceId('10.0.0.1:80') })).toBeUndefined();
    expect(await service.remove({ id: instanceId(`${host}:${port}`) })).toBeUndefined();
    expect(await service.remove({ host, port })).toBe(instance);
    await register();
    expect(await service.remove({ id: instance.id })).toMatchObject({ id: instance.id });
  });
});
