import { Inject, Injectable } from '@nestjs/common';
import type { Ids } from '../core/ports';
import { instanceId, type InstanceId } from '../core/units';
import { InTurn } from '../ops/in-turn';
import { IDS } from '../ops/system';
import { InstancesRepository, type StoredInstance } from '../persistence/instances.repository';
import { WorkersRepository, type WorkerRecord } from '../persistence/workers.repository';

type Rows = ReadonlyMap<string, StoredInstance>;

/**
 * Writes what workers say of themselves. A fleet may come all at once: whoever comes while a commit
 * is under way goes into the next one, together with all others.
 */
@Injectable()
export class WorkerRegister {
  private readonly turns = new InTurn();
  private batch = new Map<string, WorkerRecord>();
  private written: Promise<Rows> | undefined;

  constructor(
    private readonly repository: WorkersRepository,
    private readonly instances: InstancesRepository,
    @Inject(IDS) private readonly ids: Ids,
  ) {}

  /**
   * Resolves with its row when it is committed.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async save(record: WorkerRecord): Promise<StoredInstance> {
    this.batch.set(record.name, record);
    this.written ??= this.turns.run(() => this.write());
    const row = (await this.written).get(record.name);
    if (!row) throw new Error(`worker ${record.name} was written and has no row`);
    return row;
  }

  /**
   * Takes the worker out of service, after whatever was said of it before.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  remove(id: InstanceId): Promise<void> {
    return this.turns.run(() => this.instances.markRemoved(id));
  }

  private async write(): Promise<Rows> {
    const records = [...this.batch.values()];
    this.batch = new Map();
    this.written = undefined;
    const workers = records.map((record) => ({ ...record, id: instanceId(this.ids.next()) }));
    const rows = await this.repository.save(workers);
    return new Map(rows.map((row) => [row.name, row]));
  }
}
