import { Inject, Injectable, Logger } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { Fleet } from '../core/fleet';
import type { TaskId } from '../core/units';
import { ModelTasksRepository, type PageBounds } from '../persistence/model-tasks.repository';
import { viewOfEnded } from './task-history';
import type { TaskView } from './task-view';
import { viewOfLive } from './tasks.service';

/** A page of the list. */
export interface TaskPage {
  /** Tasks of the whole list. */
  readonly total: number;
  /** Newest first, a few at a time, each as it stands when it is reached. Never an empty few. */
  readonly tasks: AsyncIterable<readonly TaskView[]>;
}

/** Results that are in memory at once because of one reader, at most, in bytes. */
const MOST_BYTES = 32 * 1_048_576;
/** Tasks that are read at once, where their results are small. */
const MOST_AT_ONCE = 250;

/**
 * Model tasks as a list, newest first. The table says which there are: a task that was accepted is
 * in it. How the live ones stand says memory.
 */
@Injectable()
export class ModelTaskList {
  private readonly logger = new Logger(ModelTaskList.name);
  private readonly atOnce: number;

  constructor(
    private readonly fleet: Fleet,
    private readonly repository: ModelTasksRepository,
    @Inject(configOf('limits')) { resultLimitBytes }: Config['limits'],
  ) {
    this.atOnce = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(MOST_BYTES / resultLimitBytes)));
  }

  /** @throws {SchedulerError} store_unavailable, also while the tasks are read */
  async page(bounds: PageBounds): Promise<TaskPage> {
    const { total, ids } = await this.repository.page(bounds);
    return { total, tasks: this.views(ids) };
  }

  /**
   * Removes every finished task, batch by batch. One whose attempt still occupies an instance stays.
   * @returns how many went
   * @throws {SchedulerError} store_unavailable, not_leading; what went before that is gone
   */
  async clear(): Promise<number> {
    let total = 0;
    let { cleared, next } = await this.repository.clearSome();
    for (total += cleared; next; total += cleared) {
      ({ cleared, next } = await this.repository.clearSome(next));
    }
    this.logger.log(`${total} finished tasks were cleared`);
    return total;
  }

  private async *views(ids: readonly TaskId[]): AsyncGenerator<readonly TaskView[]> {
    for (let from = 0; from < ids.length; from += this.atOnce) {
      const views = await this.viewsOf(ids.slice(from, from + this.atOnce));
      if (views.length > 0) yield views;
    }
  }

  /** Memory first: what is not there any more has ended, and its end is committed. */
  private async viewsOf(ids: readonly TaskId[]): Promise<readonly TaskView[]> {
    const views = new Map<TaskId, TaskView>();
    for (const id of ids) {
      const task = this.fleet.tasks.get(id);
      if (task) views.set(id, viewOfLive(task));
    }
    const rows = await this.repository.findAll(ids.filter((id) => !views.has(id)));
    for (const row of rows) views.set(row.id, viewOfEnded(row));
    return ids.flatMap((id) => views.get(id) ?? []);
  }
}
