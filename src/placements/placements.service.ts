import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { QuantileDistribution } from '../core/distribution';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import { PlacementLine, type WaitingPlacement } from '../core/placement-line';
import type { Clock, Ids } from '../core/ports';
import { PLACEMENT_QUEUE } from '../core/queue';
import type { Resources } from '../core/resources';
import { isTerminal, newTask, type Prediction, type Task } from '../core/task';
import { taskId } from '../core/units';
import { CLOCK, IDS } from '../ops/system';
import { WakeupBell } from '../ops/wakeup';
import type { Payload } from '../tasks/payload-cache';
import { TaskIntake, type Receipt } from '../tasks/task-intake';
import { TaskRecorder } from '../tasks/task-recorder';
import { PlacementEnds } from './placement-ends';
import { PlacementMetrics, type Unplaced } from './placement-metrics';

/** What a client asks a worker for. */
export interface PlacementRequest {
  readonly taskId: string;
  readonly requiredTags: readonly string[];
  /** Higher goes first in the waiting line. */
  readonly priority: number;
  readonly resources: Omit<Resources, 'slots'>;
  /** How long to wait in line when nobody fits, in ms; 0: not at all. */
  readonly waitMs: number;
}

/** Where a task goes. */
export interface PlacedAt {
  readonly workerId: string;
  readonly address: string;
}

interface Asked extends WaitingPlacement {
  readonly payload: Payload;
}

interface Waiter extends Asked {
  readonly settle: (receipt: Promise<Receipt>) => void;
}

/** Nobody says how long it will run: its client alone knows how it goes on. */
const UNKNOWN: Prediction = { serviceTime: new QuantileDistribution([0.5], [0]), method: 'none' };
const RETRY_AFTER_SECONDS = 1;
const NO_METADATA = '{}';

/** Finds workers for tasks that their clients bring there themselves. */
@Injectable()
export class PlacementsService implements OnModuleDestroy {
  private readonly line = new PlacementLine<Waiter>();

  constructor(
    private readonly fleet: Fleet,
    private readonly intake: TaskIntake,
    private readonly recorder: TaskRecorder,
    private readonly ends: PlacementEnds,
    private readonly metrics: PlacementMetrics,
    @Inject(configOf('limits')) private readonly limits: Config['limits'],
    @Inject(configOf('intervals')) private readonly intervals: Config['intervals'],
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: Ids,
    bell: WakeupBell,
  ) {
    bell.listen(() => this.serve());
    metrics.waiting = () => this.line.size;
  }

  /**
   * The answer means that the placement is committed. The same task again, while it is placed, gets the
   * same worker.
   * @param gone aborts when the client has gone away: whoever still waits in line then leaves it
   * @throws {SchedulerError} no_capacity when nobody fits, or nobody did in time; queue_full; store_unavailable
   */
  async place(request: PlacementRequest, gone: AbortSignal): Promise<PlacedAt> {
    const asked = this.asked(request);
    this.serve();
    const receipt = this.tryToPlace(asked) ?? this.wait(asked, request.waitMs, gone);
    return this.placedAt(await receipt);
  }

  /**
   * Ends the placement of a task. The answer means that it is committed.
   * @returns false when there is none
   * @throws {SchedulerError} store_unavailable
   */
  async release(clientId: string): Promise<boolean> {
    const task = this.fleet.taskByClientId('placement', clientId);
    if (!task) return false;
    if (isTerminal(task.state)) {
      await this.ends.of(task);
      return false;
    }
    if (!this.recorder.canRecord) throw storeAway();
    await this.ends.record(this.fleet.placements.release(task, 'released by its client'));
    return true;
  }

  /** Nobody is served any more: whoever waits is told to come back. */
  endWaits(): void {
    for (const waiter of this.line.all()) {
      this.line.remove(waiter);
      waiter.settle(Promise.reject(stopping()));
    }
  }

  onModuleDestroy(): void {
    this.endWaits();
  }

  /** @returns undefined when nobody fits now */
  private tryToPlace(asked: Asked): Promise<Receipt> | undefined {
    const { placements } = this.fleet;
    this.ends.recordLater(placements.makeRoom());
    const { task, payload } = asked;
    const placing = placements.place(task, asked.tags);
    switch (placing.kind) {
      case 'placed':
        return this.intake.keep({ task, changes: placing.changes, payload });
      case 'known':
        return this.again(asked, placing.task);
      case 'unplaced':
        return undefined;
      case 'rejected':
        return Promise.reject(refused(placing.code, placing.message));
    }
  }

  /** It is placed already, or was until just now: then it is placed anew when that is recorded. */
  private async again(asked: Asked, known: Task): Promise<Receipt> {
    if (!isTerminal(known.state)) return this.intake.receiptFor(known);
    await this.ends.of(known);
    const receipt = this.fleet.tasks.has(known.id) ? undefined : this.tryToPlace(asked);
    if (!receipt) throw this.unplaced('nobody_fits');
    return receipt;
  }

  private wait(asked: Asked, waitMs: number, gone: AbortSignal): Promise<Receipt> {
    if (waitMs === 0) throw this.unplaced('nobody_fits');
    if (this.line.size >= this.limits.waitingPlacements) {
      this.metrics.count('line_full');
      const message = `${this.line.size} clients wait for a worker; that is the limit`;
      throw refused('queue_full', message);
    }
    return new Promise((resolve) => {
      const leave = (reason: Unplaced): void => {
        if (!this.line.remove(waiter)) return;
        waiter.settle(Promise.reject(this.unplaced(reason)));
      };
      const timer = setTimeout(() => leave('waited_in_vain'), waitMs);
      const onGone = (): void => leave('client_gone');
      const settle = (receipt: Promise<Receipt>): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', onGone);
        resolve(receipt);
      };
      const waiter: Waiter = { ...asked, settle };
      this.line.add(waiter);
      gone.addEventListener('abort', onGone, { once: true });
      if (gone.aborted) onGone();
    });
  }

  /** Places whoever waits, in turn, while there are workers with a free place. */
  private serve(): void {
    if (this.line.size === 0 || !this.recorder.canRecord) return;
    const { census } = this.fleet.queues.get(PLACEMENT_QUEUE) ?? {};
    if (!census || census.of('free') === 0) return;
    this.line.serve((waiter) => {
      const receipt = this.tryToPlace(waiter);
      if (receipt) waiter.settle(receipt);
      return receipt !== undefined;
    }, this.clock.now());
  }

  private unplaced(reason: Unplaced): SchedulerError {
    this.metrics.count(reason);
    return refused('no_capacity', 'no available worker matching requirements');
  }

  private placedAt({ instanceId, clientId }: Receipt): PlacedAt {
    const worker = instanceId === null ? undefined : this.fleet.instances.get(instanceId);
    if (!worker) throw new Error(`the worker of placement ${String(clientId)} is not there`);
    return { workerId: worker.name, address: worker.traits.endpoint };
  }

  private asked(request: PlacementRequest): Asked {
    const { taskId: clientId, requiredTags, priority, resources } = request;
    const payload = { taskInput: inputOf(request), metadata: NO_METADATA };
    const draft = {
      id: taskId(this.ids.next()),
      kind: 'placement',
      clientId,
      queue: PLACEMENT_QUEUE,
      priority,
      submittedAt: this.clock.now(),
      prediction: UNKNOWN,
      demand: { slots: 1, ...resources },
      job: null,
      attemptTimeoutMs: this.intervals.placementRetentionMs,
      maxAttempts: 1,
      payloadBytes: Buffer.byteLength(payload.taskInput) + NO_METADATA.length,
    } as const;
    return { task: newTask(draft, PLACEMENT_QUEUE), tags: requiredTags, payload };
  }
}

/** What is kept in the history of what was asked for. */
function inputOf({ requiredTags, resources }: PlacementRequest): string {
  const { cpu, memoryGb, gpuMemoryGb } = resources;
  const isPlain = cpu === 0 && memoryGb === 0 && gpuMemoryGb === 0;
  const wanted = { cpu, memory_gb: memoryGb, gpu_memory_gb: gpuMemoryGb };
  return JSON.stringify({ required_tags: requiredTags, ...(isPlain ? {} : { resources: wanted }) });
}

function refused(
  code: 'no_capacity' | 'queue_full' | 'no_instance',
  message: string,
): SchedulerError {
  return new SchedulerError(code, message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

function storeAway(): SchedulerError {
  const message = 'the database is away; nothing was changed';
  return new SchedulerError('store_unavailable', message, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

function stopping(): SchedulerError {
  const message = 'this process stops leading; ask again';
  return new SchedulerError('not_leading', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
