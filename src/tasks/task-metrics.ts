import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { Fleet } from '../core/fleet';
import { isTerminal, type Attempt, type Change } from '../core/task';
import type { QueueKey } from '../core/units';
import { QueueLabels } from '../ops/queue-labels';
import type { ChangeListener } from './change-listener';
import { TaskHistory } from './task-history';

const MS_PER_SECOND = 1_000;
/** From a cached answer to a long batch: each step is about three times the one before. */
const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_600];
const BY_QUEUE = ['kind', 'queue'] as const;
const BY_STATE = [...BY_QUEUE, 'state'] as const;

/** Counts what happens to tasks. */
@Injectable()
export class TaskMetrics implements ChangeListener {
  private readonly submitted: Counter<(typeof BY_QUEUE)[number]>;
  private readonly ended: Counter<(typeof BY_STATE)[number]>;
  private readonly lost: Counter<(typeof BY_QUEUE)[number]>;
  private readonly wait: Histogram<(typeof BY_QUEUE)[number]>;
  private readonly service: Histogram<(typeof BY_QUEUE)[number]>;

  constructor(
    registry: Registry,
    fleet: Fleet,
    private readonly labels: QueueLabels,
    { traces }: TaskHistory,
  ) {
    const registers = [registry];
    this.submitted = new Counter({
      name: 'foresail_tasks_submitted_total',
      help: 'Tasks that were accepted in this term.',
      labelNames: BY_QUEUE,
      registers,
    });
    this.ended = new Counter({
      name: 'foresail_tasks_ended_total',
      help: 'Tasks that ended in this term, by how.',
      labelNames: BY_STATE,
      registers,
    });
    this.lost = new Counter({
      name: 'foresail_attempts_lost_total',
      help: 'Attempts that were given up because their worker was believed gone.',
      labelNames: BY_QUEUE,
      registers,
    });
    new Counter({
      name: 'foresail_reports_untraced_total',
      help: 'Reports that changed nothing and were like one in the history of their task.',
      registers,
      collect() {
        this.reset();
        this.inc(traces.untraced);
      },
    });
    this.wait = new Histogram({
      name: 'foresail_task_wait_seconds',
      help: 'From the submission of a task to the start of the attempt that ended it.',
      labelNames: BY_QUEUE,
      buckets: SECONDS,
      registers,
    });
    this.service = new Histogram({
      name: 'foresail_task_service_seconds',
      help: 'How long successful attempts ran, by the word of their worker.',
      labelNames: BY_QUEUE,
      buckets: SECONDS,
      registers,
    });
    new Gauge({
      name: 'foresail_tasks',
      help: 'Live tasks by state.',
      labelNames: BY_STATE,
      registers,
      collect() {
        this.reset();
        for (const [key, state, count] of liveTasks(fleet)) {
          this.inc({ ...labels.of(key), state }, count);
        }
      },
    });
  }

  told(changes: readonly Change[]): void {
    for (const change of changes) this.count(change);
  }

  private count({ task, event, attempts }: Change): void {
    if (event.to === null) return;
    const label = this.labels.of(task.queue);
    if (event.type === 'submitted') this.submitted.inc({ ...label });
    if (attempts.some(({ state }) => state === 'lost')) this.lost.inc({ ...label });
    if (!isTerminal(event.to)) return;
    this.ended.inc({ ...label, state: event.to });
    const last = attempts.at(-1);
    if (!last) return;
    if (last.runningSince !== null) {
      const waitMs = Math.max(0, last.runningSince - task.submittedAt);
      this.wait.observe({ ...label }, waitMs / MS_PER_SECOND);
    }
    const serviceMs = event.to === 'succeeded' ? serviceMsOf(last) : null;
    if (serviceMs !== null) this.service.observe({ ...label }, serviceMs / MS_PER_SECOND);
  }
}

/** By the worker's word, else as it looked from here. */
function serviceMsOf({ executionMs, runningSince, endedAt }: Attempt): number | null {
  if (executionMs !== null) return executionMs;
  return runningSince === null || endedAt === null ? null : Math.max(0, endedAt - runningSince);
}

/** Counted without a look at every task that waits: there may be many, and the queues know. */
function* liveTasks(fleet: Fleet): Generator<[key: QueueKey, state: string, count: number]> {
  for (const { key, waiting } of fleet.queues.values()) yield [key, 'queued', waiting];
  for (const { attempt, task } of fleet.attempts.all()) {
    if (attempt.state === 'live') yield [task.queue, task.state, 1];
  }
}
