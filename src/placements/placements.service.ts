import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import { PLACEMENT_QUEUE } from '../core/queue';
import { isTerminal, type Task } from '../core/task';
import { WakeupBell } from '../ops/wakeup';
import { TaskIntake, type Receipt } from '../tasks/task-intake';
import { TaskRecorder } from '../tasks/task-recorder';
import { PlacementDrafts, type AskedPlacement, type PlacementRequest } from './placement-drafts';
import { PlacementEnds } from './placement-ends';
import { WaitingClients } from './waiting-clients';

/** Where a task goes. */
export interface PlacedAt {
  readonly workerId: string;
  readonly address: string;
}

const RETRY_AFTER = { retryAfterSeconds: 1 };

/** Finds workers for tasks that their clients bring there themselves. */
@Injectable()
export class PlacementsService implements OnModuleDestroy {
  constructor(
    private readonly fleet: Fleet,
    private readonly intake: TaskIntake,
    private readonly recorder: TaskRecorder,
    private readonly drafts: PlacementDrafts,
    private readonly clients: WaitingClients,
    private readonly ends: PlacementEnds,
    bell: WakeupBell,
  ) {
    bell.listen(() => this.serve());
  }

  /**
   * The answer means that the placement is committed. The same task again, while it is placed, gets the
   * same worker.
   * @param signalOfGone makes the signal that the client has gone away: whoever still waits in line
   *   then leaves it
   * @throws {SchedulerError} no_capacity when nobody fits, or nobody did in time; queue_full;
   *   store_unavailable; not_leading
   */
  async place(request: PlacementRequest, signalOfGone: () => AbortSignal): Promise<PlacedAt> {
    const before = this.fleet.taskByClientId('placement', request.taskId);
    // It is placed anew, or waits, once its end is recorded.
    if (before && isTerminal(before.state)) await this.ends.of(before);
    const asked = this.drafts.make(request);
    // Nobody overtakes whoever waits.
    this.serve();
    const receipt =
      this.tryToPlace(asked) ?? this.clients.wait(asked, request.waitMs, signalOfGone);
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
    if (this.ends.atOnce === 0) {
      const message = 'the database is away or behind; nothing was changed';
      throw new SchedulerError('store_unavailable', message, RETRY_AFTER);
    }
    await this.ends.record(this.fleet.placements.release(task, 'released by its client'));
    return true;
  }

  onModuleDestroy(): void {
    this.clients.sendAway();
  }

  /** @returns undefined when nobody has room for it now */
  private tryToPlace(asked: AskedPlacement): Promise<Receipt> | undefined {
    const { placements } = this.fleet;
    const { task, tags, payload } = asked;
    // A repeat needs no room, and must not push out what it asks for.
    if (!this.fleet.taskByClientId('placement', task.clientId ?? '') && this.ends.atOnce > 0)
      this.ends.recordLater(placements.makeRoom());
    const placing = placements.place(task, tags);
    switch (placing.kind) {
      case 'placed':
        return this.intake.keep({ task, changes: placing.changes, payload });
      case 'known':
        return this.again(asked, placing.task);
      case 'unplaced':
        return undefined;
      case 'rejected':
        return Promise.reject(new SchedulerError(placing.code, placing.message, RETRY_AFTER));
    }
  }

  /** It is placed already, or was until just now: then it is placed anew once that is recorded. */
  private async again(asked: AskedPlacement, known: Task): Promise<Receipt> {
    if (!isTerminal(known.state)) return this.intake.receiptFor(known);
    await this.ends.of(known);
    const receipt = this.fleet.tasks.has(known.id) ? undefined : this.tryToPlace(asked);
    if (!receipt) throw this.clients.unplaced('nobody_fits');
    return receipt;
  }

  /** Places whoever waits, in turn, while there are workers with a free place. */
  private serve(): void {
    if (this.clients.isEmpty || !this.recorder.canRecord) return;
    const { census } = this.fleet.queues.get(PLACEMENT_QUEUE) ?? {};
    if (!census || census.of('free') === 0) return;
    this.clients.serve((asked) => this.tryToPlace(asked));
  }

  private placedAt({ instanceId, clientId }: Receipt): PlacedAt {
    const worker = instanceId === null ? undefined : this.fleet.instances.get(instanceId);
    if (!worker) throw new Error(`the worker of placement ${String(clientId)} is not there`);
    return { workerId: worker.name, address: worker.traits.endpoint };
  }
}
