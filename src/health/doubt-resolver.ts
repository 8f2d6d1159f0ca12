import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Fleet } from '../core/fleet';
import type { Instance } from '../core/instance';
import type { Clock } from '../core/ports';
import type { Instant } from '../core/units';
import { TaskInstanceClients } from '../executors/task-instance.clients';
import { CLOCK } from '../ops/system';
import { InDoubt, type Doubt } from '../tasks/in-doubt';
import { TaskLifecycle } from '../tasks/task-lifecycle';
import { TaskRecorder } from '../tasks/task-recorder';
import { HEALTH_INTERVALS, type HealthIntervals } from './health-intervals';
import { endFromResult } from './worker-outcome';

const TICK_MS = 250;
/** A request that was cut off may still be on its way; only after this does absence count, in ms. */
const SETTLE_MS = 1_000;

/**
 * Finds out whether a worker has an attempt whose answer was lost. A worker that can prove absence
 * is asked; for others the ambiguity window is waited out, then the attempt is given up.
 */
@Injectable()
export class DoubtResolver {
  private readonly logger = new Logger(DoubtResolver.name);
  private readonly asking = new WeakSet();
  /** No window runs before this: while PostgreSQL is away nobody's report is taken. */
  private graceFrom: Instant;

  constructor(
    private readonly fleet: Fleet,
    private readonly clients: TaskInstanceClients,
    private readonly lifecycle: TaskLifecycle,
    private readonly doubts: InDoubt,
    private readonly recorder: TaskRecorder,
    @Inject(HEALTH_INTERVALS) private readonly intervals: HealthIntervals,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.graceFrom = clock.now();
  }

  @Interval(TICK_MS)
  async tick(): Promise<void> {
    if (!this.recorder.canRecord) {
      this.graceFrom = this.clock.now();
      return;
    }
    const open = this.doubts
      .open()
      // Hosts are asked by the watcher of their jobs.
      .filter(({ held }) => held.task.kind !== 'batch' && !this.asking.has(held));
    await Promise.all(open.map((doubt) => this.resolve(doubt)));
  }

  private async resolve(doubt: Doubt): Promise<void> {
    const instance = this.fleet.instances.get(doubt.held.attempt.instanceId);
    this.asking.add(doubt.held);
    try {
      if (instance?.provesAbsence && (await this.ask(doubt, instance))) return;
      await this.giveUpInTime(doubt);
    } catch (error) {
      this.logger.debug({ msg: `attempt ${doubt.held.attempt.dispatchId} stays in doubt`, error });
      await this.giveUpInTime(doubt);
    } finally {
      this.asking.delete(doubt.held);
    }
  }

  /** @returns true when the answer settled it */
  private async ask(doubt: Doubt, instance: Instance): Promise<boolean> {
    const { held, since } = doubt;
    const asked = this.clock.now();
    const client = this.clients.for(instance.host, instance.port);
    const found = await client.resultByDispatchId(held.attempt.dispatchId);
    if (found === 'absent') {
      if (asked - since < SETTLE_MS) return false;
      this.doubts.settle(doubt);
      const why = `${instance.name} does not have attempt ${held.attempt.no}`;
      if (held.task.state === 'dispatching') await this.lifecycle.returned(held, why);
      else await this.lifecycle.lost(held, why);
      return true;
    }
    this.doubts.settle(doubt);
    await this.lifecycle.confirmed(held, found.remoteId);
    if (found.state === 'running') await this.lifecycle.started(held);
    await endFromResult(this.lifecycle, held, found);
    return true;
  }

  private async giveUpInTime(doubt: Doubt): Promise<void> {
    const { held, since } = doubt;
    const waited = this.clock.now() - Math.max(since, this.graceFrom);
    if (!this.recorder.canRecord || waited < this.intervals.ambiguityMs) return;
    this.doubts.settle(doubt);
    await this.lifecycle.lost(held, 'nobody could say whether its worker has it', false);
  }
}
