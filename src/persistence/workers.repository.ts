import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { WorkerTraits } from '../core/instance';
import type { Resources } from '../core/resources';
import type { InstanceId } from '../core/units';
import { TERM, type Term } from '../ops/term';
import { InstanceEntity } from './entities/instance.entity';
import { storedInstance, type StoredInstance } from './instances.repository';
import { inTerm } from './store';

/** What a worker says of itself that outlives a restart. */
export interface WorkerRecord extends WorkerTraits {
  /** The worker's own id. */
  readonly name: string;
  readonly capacity: Resources;
}

/** The rows of workers that only ask for placement. Writes belong to the term that is being led. */
@Injectable()
export class WorkersRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /**
   * Records workers that are new, or have changed, or are back in service. All of them in one commit.
   * @param workers each with the id that it gets if it is new; no two of one name
   * @returns their rows, in any order
   * @throws {SchedulerError} not_leading, store_unavailable
   */
  async save(
    workers: readonly (WorkerRecord & { readonly id: InstanceId })[],
  ): Promise<readonly StoredInstance[]> {
    const columns = [
      workers.map(({ id }) => id),
      workers.map(({ name }) => name),
      workers.map(({ capacity }) => capacity.slots),
      workers.map(({ capacity }) => capacity.cpu),
      workers.map(({ capacity }) => capacity.memoryGb),
      workers.map(({ capacity }) => capacity.gpuMemoryGb),
      workers.map(({ tags }) => JSON.stringify(tags)),
      workers.map(({ endpoint }) => endpoint),
    ];
    return inTerm(this.dataSource, this.term, async (manager) => {
      // Raw, because it is one statement for all of them: a fleet may come all at once.
      const rows = await manager.query<{ id: InstanceId }[]>(SAVE, columns);
      const found = await manager.findBy(InstanceEntity, { id: In(rows.map(({ id }) => id)) });
      return found.map(storedInstance);
    });
  }
}

const SAVE = `
  INSERT INTO instances AS known
         (id, kind, queue_kind, queue_name, host, port, name, protocol, registration, registered_at,
          slots, cpu, memory_gb, gpu_memory_gb, tags, endpoint)
  SELECT w.id, 'worker', 'placement', 'default', w.name, 0, w.name, 'enqueue', 1, now(),
         w.slots, w.cpu, w.memory_gb, w.gpu_memory_gb, w.tags::jsonb, w.endpoint
    FROM unnest($1::uuid[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::float8[],
                $7::text[], $8::text[])
      AS w (id, name, slots, cpu, memory_gb, gpu_memory_gb, tags, endpoint)
  ON CONFLICT (kind, host, port) DO UPDATE
     SET slots = excluded.slots,
         cpu = excluded.cpu,
         memory_gb = excluded.memory_gb,
         gpu_memory_gb = excluded.gpu_memory_gb,
         tags = excluded.tags,
         endpoint = excluded.endpoint,
         registered_at = CASE WHEN known.removed_at IS NULL
                              THEN known.registered_at ELSE excluded.registered_at END,
         removed_at = NULL
  RETURNING id`;
