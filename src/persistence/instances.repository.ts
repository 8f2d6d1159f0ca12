import { Inject, Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import type { HostTraits, InstanceDraft, Traits } from '../core/instance';
import { queueKey, queueName } from '../core/queue';
import { INSTANCE_KIND_OF, NO_TRAITS } from '../core/instance';
import type { Resources } from '../core/resources';
import type { SpeedRecord } from '../core/speed';
import type { TaskKind } from '../core/task';
import type { InstanceId, QueueKey } from '../core/units';
import { TERM, type Term } from '../ops/term';
import { InstanceEntity } from './entities/instance.entity';
import { answered, inTerm } from './store';

/** An instance as its row has it; what is measured of it is known only once it answers. */
export interface StoredInstance extends Pick<
  InstanceDraft,
  | 'id'
  | 'kind'
  | 'queue'
  | 'host'
  | 'port'
  | 'name'
  | 'protocol'
  | 'registration'
  | 'notifies'
  | 'drainAsked'
  | 'registeredWallMs'
> {
  readonly removed: boolean;
  readonly speed: SpeedRecord;
  /** Of a batch host or a worker; null of task instances, which say it when they are asked. */
  readonly size: Resources | null;
  readonly traits: Traits;
}

/** What an instance says of itself when it registers. */
export interface InstanceRegistration extends Pick<
  StoredInstance,
  'id' | 'kind' | 'queue' | 'host' | 'port' | 'name' | 'protocol'
> {
  /**
   * It may have been started anew since it registered last, so that its ids may mean other attempts
   * by now. One that was out of service is so in any case.
   */
  readonly isAnew: boolean;
  /** What a batch host has. */
  readonly size?: Pick<Resources, 'slots' | 'cpu' | 'memoryGb'>;
  /** Default: none. */
  readonly traits?: HostTraits;
}

/** The table of instances. Writes belong to the term that is being led. */
@Injectable()
export class InstancesRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** Every instance in service, and those out of it that an attempt still occupies. */
  async all(): Promise<readonly StoredInstance[]> {
    const rows = await answered(() =>
      this.dataSource
        .getRepository(InstanceEntity)
        .createQueryBuilder('i')
        .where('i.removed_at IS NULL')
        .orWhere(
          // The states of the two partial indexes of attempts, written so that each is used.
          `i.id IN (
             SELECT a.instance_id FROM attempts a WHERE a.state = 'live'
             UNION ALL
             SELECT a.instance_id FROM attempts a WHERE a.state = 'abandoned')`,
        )
        .orderBy('i.registered_at')
        .addOrderBy('i.id')
        .getMany(),
    );
    return rows.map(storedInstance);
  }

  /**
   * Records a registration. An address keeps its id for ever, in service or not: what is known of
   * it is brought up to date, and the registration counted if it may be a new one. An operator's
   * drain holds on: a worker that is started anew during the repair of its machine removes and
   * registers itself.
   * @returns the row; its id is `registration.id` only when the address is new
   */
  async register(registration: InstanceRegistration): Promise<StoredInstance> {
    const { id, kind, host, port, name, protocol, queue, isAnew, size } = registration;
    const { labels, executorPrefix } = registration.traits ?? NO_TRAITS;
    const where = [id, kind, TASK_KIND_OF[kind], queueName(queue), host, port];
    const what = [size?.slots, size?.cpu, size?.memoryGb, JSON.stringify(labels), executorPrefix];
    const values = [...where, name, protocol, isAnew, ...what];
    return this.write(async (manager) => {
      // Raw, because one statement has to decide whether the address is new.
      const [row] = await manager.query<{ id: InstanceId }[]>(REGISTER, values);
      return storedInstance(await manager.findOneByOrFail(InstanceEntity, { id: row?.id ?? id }));
    });
  }

  /** The one with that name, or at that `host:port`, that was taken out of service last. */
  async lastRemoved(ref: string): Promise<InstanceId | undefined> {
    const row = await answered(() =>
      this.dataSource
        .getRepository(InstanceEntity)
        .createQueryBuilder('i')
        .where('i.removed_at IS NOT NULL')
        .andWhere(`:ref IN (i.name, i.host || ':' || i.port)`, { ref })
        .orderBy('i.removed_at', 'DESC')
        .limit(1)
        .getOne(),
    );
    return row?.id;
  }

  /** Takes it out of service. */
  async markRemoved(id: InstanceId): Promise<void> {
    await this.write((manager) =>
      manager.update(InstanceEntity, { id, removedAt: IsNull() }, { removedAt: new Date() }),
    );
  }

  /** An operator has asked that it gets no new work, or takes that back. */
  async setDrainAsked(id: InstanceId, drainAsked: boolean): Promise<void> {
    await this.write((manager) => manager.update(InstanceEntity, { id }, { drainAsked }));
  }

  /** It serves another model now. */
  async setQueue(id: InstanceId, queue: QueueKey): Promise<void> {
    await this.write((manager) =>
      manager.update(InstanceEntity, { id }, { queueName: queueName(queue), ...NOTHING_LEARNED }),
    );
  }

  /** It goes by another name now. */
  async setName(id: InstanceId, name: string): Promise<void> {
    await this.write((manager) => manager.update(InstanceEntity, { id }, { name }));
  }

  /** How fast they are, as far as was learned. */
  async saveSpeeds(speeds: ReadonlyMap<InstanceId, SpeedRecord>): Promise<void> {
    const values = [...speeds.values()];
    const columns = [
      [...speeds.keys()],
      values.map(({ declared }) => declared),
      values.map(({ surplus }) => surplus),
      values.map(({ outcomes }) => outcomes),
    ];
    // Raw, because it is one statement for all of them.
    await this.write((manager) => manager.query(SAVE_SPEEDS, columns));
  }

  /** It has reported a result by itself. */
  async setNotifies(id: InstanceId): Promise<void> {
    await this.write((manager) => manager.update(InstanceEntity, { id }, { notifies: true }));
  }

  private write<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return inTerm(this.dataSource, this.term, work);
  }
}

const REGISTER = `
  INSERT INTO instances AS known
         (id, kind, queue_kind, queue_name, host, port, name, protocol, registration, registered_at,
          slots, cpu, memory_gb, labels, executor_prefix)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, now(), $10, $11, $12, $13, $14)
  ON CONFLICT (kind, host, port) DO UPDATE
     SET queue_kind = excluded.queue_kind,
         queue_name = excluded.queue_name,
         name = excluded.name,
         protocol = excluded.protocol,
         slots = excluded.slots,
         cpu = excluded.cpu,
         memory_gb = excluded.memory_gb,
         labels = excluded.labels,
         executor_prefix = excluded.executor_prefix,
         registration = known.registration
           + CASE WHEN $9 OR known.removed_at IS NOT NULL THEN 1 ELSE 0 END,
         speed_surplus = CASE WHEN known.queue_name = excluded.queue_name
                              THEN known.speed_surplus ELSE 0 END,
         speed_outcomes = CASE WHEN known.queue_name = excluded.queue_name
                               THEN known.speed_outcomes ELSE 0 END,
         registered_at = CASE WHEN known.removed_at IS NULL
                              THEN known.registered_at ELSE excluded.registered_at END,
         removed_at = NULL
  RETURNING id`;

const SAVE_SPEEDS = `
  UPDATE instances AS known
     SET speed_declared = learned.declared,
         speed_surplus = learned.surplus,
         speed_outcomes = learned.outcomes
    FROM unnest($1::uuid[], $2::float8[], $3::float8[], $4::int4[])
      AS learned (id, declared, surplus, outcomes)
   WHERE known.id = learned.id`;

/** How fast it is, is another matter for every model. */
const NOTHING_LEARNED = { speedSurplus: 0, speedOutcomes: 0 };

const TASK_KIND_OF = Object.fromEntries(
  Object.entries(INSTANCE_KIND_OF).map(([task, instance]) => [instance, task]),
) as Record<InstanceDraft['kind'], TaskKind>;

/** A row as an instance that is yet to be heard of. */
export function storedInstance(row: InstanceEntity): StoredInstance {
  return {
    id: row.id,
    kind: row.kind,
    queue: queueKey(row.queueKind, row.queueName),
    host: row.host,
    port: row.port,
    name: row.name,
    protocol: row.protocol,
    registration: row.registration,
    notifies: row.notifies,
    drainAsked: row.drainAsked,
    registeredWallMs: row.registeredAt.getTime(),
    removed: row.removedAt !== null,
    size: sizeOf(row),
    traits: {
      labels: row.labels,
      executorPrefix: row.executorPrefix,
      tags: row.tags,
      endpoint: row.endpoint,
    },
    speed: {
      declared: row.speedDeclared,
      surplus: row.speedSurplus,
      outcomes: row.speedOutcomes,
    },
  };
}

function sizeOf({ slots, cpu, memoryGb, gpuMemoryGb }: InstanceEntity): StoredInstance['size'] {
  if (slots === null || cpu === null || memoryGb === null) return null;
  return { slots, cpu, memoryGb, gpuMemoryGb: gpuMemoryGb ?? 0 };
}
