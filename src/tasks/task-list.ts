import { Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import { instanceId, isUuid, type InstanceId } from '../core/units';
import { Cursors, type Page } from '../http/page';
import { InstancesRepository } from '../persistence/instances.repository';
import { TaskListRepository, type ListedTask } from '../persistence/task-list.repository';
import type { TaskListQuestion } from './task-list-query';

const CURSORS = new Cursors('tasks', 'instant', 'uuid');

/** Tasks on the record, live and finished ones, newest first. */
@Injectable()
export class TaskList {
  constructor(
    private readonly fleet: Fleet,
    private readonly repository: TaskListRepository,
    private readonly instances: InstancesRepository,
  ) {}

  /** @throws {SchedulerError} unknown_instance, store_unavailable; invalid_input for a wrong cursor */
  async page(
    { instanceRef, ...filter }: TaskListQuestion,
    limit: number,
    cursor: string | undefined,
  ): Promise<Page<ListedTask>> {
    const behind = CURSORS.read(cursor);
    const instance =
      instanceRef === undefined ? {} : { instanceId: await this.instanceOf(instanceRef) };
    const found = await this.repository.newest({ ...filter, ...instance }, behind, limit + 1);
    return CURSORS.page(found, limit, ({ submittedMs, id }) => [submittedMs, id]);
  }

  /** One that has left the fleet is still found, by its id and by what it was called last. */
  private async instanceOf(ref: string): Promise<InstanceId> {
    const known = this.fleet.findInstance(ref)?.id;
    if (known !== undefined) return known;
    if (isUuid(ref)) return instanceId(ref);
    const removed = await this.instances.lastRemoved(ref);
    if (removed !== undefined) return removed;
    const message = `no instance ${JSON.stringify(ref)} is or was registered`;
    throw new SchedulerError('unknown_instance', message);
  }
}
