import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Held } from '../core/backlog';
import { isSchedulerError, type ErrorCode } from '../core/errors';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import { queueName } from '../core/queue';
import type { Change } from '../core/task';
import { EXECUTOR, type Executor, type StartResult } from '../executors/executor';
import { crashPoint } from '../ops/crash-points';
import { CLOCK } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import { InDoubt } from '../tasks/in-doubt';
import { Outbox } from '../tasks/outbox';
import type { Payload } from '../tasks/payload-cache';
import { PayloadReader } from '../tasks/payload-reader';
import { TaskLifecycle } from '../tasks/task-lifecycle';
import { TaskRecorder } from '../tasks/task-recorder';

/** Placements of one turn: the event loop gets to breathe in between. */
const PLACEMENTS_PER_TURN = 256;
/** An instance that is busy is left alone for this long, unless it says otherwise, in ms. */
const BUSY_REST_MS = 250;

/** While PostgreSQL is away nothing is placed or sent; this often it is looked whether it is back. */
const STORE_RETRY_MS = 100;
/** The term is over, or the task was withdrawn because it was never recorded. */
const HANDLED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_leading',
  'duplicate_task',
  'store_unavailable',
  'rejected_by_store',
]);
/** How long a stop waits for requests to workers that are under way, in ms. */
const STOP_PATIENCE_MS = 3_000;

/**
 * Wakes when something changed: places what can be placed, and sends what has a committed attempt.
 * Sending never holds up placing.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap {
  private readonly logger = new Logger(Dispatcher.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly fleet: Fleet,
    private readonly outbox: Outbox,
    private readonly payloads: PayloadReader,
    private readonly recorder: TaskRecorder,
    private readonly lifecycle: TaskLifecycle,
    private readonly doubts: InDoubt,
    private readonly bell: WakeupBell,
    @Inject(EXECUTOR) private readonly executor: Executor,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.bell.listen(() => this.wake());
    this.bell.signal();
  }

  /** Nothing is placed or sent from here on; resolves when what is under way is over. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    const patience = sleep(STOP_PATIENCE_MS, undefined, { ref: false });
    await Promise.race([Promise.all(this.underWay), patience]);
  }

  private wake(): void {
    if (this.stopped) return;
    if (!this.recorder.canRecord) {
      this.wakeIn(STORE_RETRY_MS);
      return;
    }
    for (const held of this.outbox.take()) this.inBackground(this.dispatch(held));
    this.place();
    const due = this.fleet.nextDue();
    if (due !== undefined) this.wakeIn(due - this.clock.now());
  }

  private place(): void {
    const { changes, more } = this.fleet.placeWaiting(PLACEMENTS_PER_TURN);
    // One by one: a task that the database refuses must not hold up the others.
    for (const change of changes) this.inBackground(this.recordAndPost(change));
    if (more) this.bell.signal();
  }

  private async recordAndPost(change: Change): Promise<void> {
    await this.recorder.record([change]);
    this.outbox.post([change]);
    this.bell.signal();
  }

  /** Backoffs, rests and outages end by the mere passing of time. */
  private wakeIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.fleet.stir();
        this.bell.signal();
      },
      Math.max(1, ms),
    );
    this.timer.unref();
  }

  /** What goes wrong before anything was sent leaves no doubt: the task waits again at once. */
  private async dispatch(held: Held): Promise<void> {
    const { attempt, task } = held;
    const payload = await this.payloads.read(task.id).catch(async (error: unknown) => {
      await this.lifecycle.returned(held, 'its payload could not be read');
      throw error;
    });
    if (attempt.state !== 'live' || task.state === 'stopping')
      return this.lifecycle.returned(held, 'stopped before it was sent');
    const instance = this.fleet.instances.get(attempt.instanceId);
    if (!instance || !payload) return this.lifecycle.returned(held, 'nothing to send');
    return this.sendOrDoubt(held, instance, payload);
  }

  /** Whatever goes wrong on the way, the attempt is not forgotten. */
  private async sendOrDoubt(held: Held, instance: Instance, payload: Payload): Promise<void> {
    try {
      await this.send(held, instance, payload);
    } catch (error) {
      // With an id its worker is known to have it.
      if (held.attempt.remoteId === null) this.doubts.add(held, this.clock.now());
      throw error;
    }
  }

  private async send(held: Held, instance: Instance, payload: Payload): Promise<void> {
    const { attempt, task } = held;
    this.fleet.course.sent(held);
    crashPoint('dispatch:before-send');
    const result = await this.executor.start(instance, {
      taskId: task.id,
      dispatchId: attempt.dispatchId,
      queueName: queueName(task.queue),
      ...payload,
    });
    crashPoint('dispatch:answered');
    this.heed(result, instance, held);
    await this.follow(held, instance, result);
    crashPoint('dispatch:confirmed');
  }

  /** What the answer says of the instance. That it rejected a task says nothing. */
  private heed(result: StartResult, instance: Instance, { attempt }: Held): void {
    const { circuits } = this.fleet;
    switch (result.kind) {
      case 'rejected':
        return;
      case 'accepted':
        circuits.accepted(instance);
        break;
      case 'unknown':
        circuits.faulted(instance, attempt);
        break;
      case 'refused':
        // Who is not reached, or takes nothing of ours (401, 404, …), may stay so for ever.
        if (result.because === 'busy') circuits.rest(instance, result.retryAfterMs ?? BUSY_REST_MS);
        else circuits.faulted(instance, attempt);
    }
    this.bell.signal();
  }

  private async follow(held: Held, instance: Instance, result: StartResult): Promise<void> {
    switch (result.kind) {
      case 'accepted':
        return this.lifecycle.confirmed(held, result.remoteId);
      case 'refused':
        return this.lifecycle.returned(held, `${instance.name} refused: ${result.reason}`);
      case 'rejected': {
        const message = `${instance.name} rejected it: ${result.reason}`;
        const outcome = { kind: 'failed', failure: 'start_error', message } as const;
        await this.lifecycle.end(held, { ...outcome, executionMs: null }, null);
        return;
      }
      case 'unknown':
        this.logger.warn({ msg: `sent, answer lost: ${result.reason}`, taskId: held.task.id });
        this.doubts.add(held, this.clock.now());
    }
  }

  /** Whatever goes wrong here is known elsewhere already, or the attempt stays in doubt. */
  private inBackground(work: Promise<void>): void {
    const watched = work.catch((error: unknown) => {
      if (isSchedulerError(error) && HANDLED.has(error.code)) return;
      this.logger.error({ msg: 'dispatch failed', error });
    });
    this.underWay.add(watched);
    void watched.finally(() => this.underWay.delete(watched));
  }
}
