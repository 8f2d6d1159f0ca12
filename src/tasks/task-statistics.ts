import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '../core/ports';
import { InTurn } from '../ops/in-turn';
import { CLOCK } from '../ops/system';
import {
  TaskStatisticsRepository,
  type TaskTimes,
} from '../persistence/task-statistics.repository';

/** Finished tasks that the short view looks at. */
const LAST_TASKS = 1_000;
const HOUR_MS = 3_600_000;
/** Of a busy hour the newest ends must do: 100 000 of them take PostgreSQL about 0.25 s. */
const MOST_OF_AN_HOUR = 100_000;

/** What the model tasks of a queue took that finished lately. */
export interface QueueStatistics {
  /** The newest 1 000 of them, however old. */
  readonly lastTasks: TaskTimes;
  /** Those of the last hour; of more than 100 000, the newest. */
  readonly lastHour: TaskTimes;
}

/**
 * Looks up in the history what finished tasks took. One look at a time, and those who ask for the
 * same meanwhile share it: whatever is asked, the other work keeps its connections.
 */
@Injectable()
export class TaskStatistics {
  private readonly turns = new InTurn();
  private readonly underWay = new Map<string, Promise<QueueStatistics>>();

  constructor(
    private readonly repository: TaskStatisticsRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws {SchedulerError} store_unavailable */
  of(queueName: string): Promise<QueueStatistics> {
    const known = this.underWay.get(queueName);
    if (known) return known;
    const look = this.turns
      .run(() => this.look(queueName))
      .finally(() => this.underWay.delete(queueName));
    this.underWay.set(queueName, look);
    return look;
  }

  private async look(queueName: string): Promise<QueueStatistics> {
    const hourAgo = new Date(this.clock.now() - HOUR_MS);
    return {
      lastTasks: await this.repository.timesOf(queueName, LAST_TASKS, null),
      lastHour: await this.repository.timesOf(queueName, MOST_OF_AN_HOUR, hourAgo),
    };
  }
}
