import { Inject, Injectable } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import type { Held } from '../core/backlog';
import { Fleet } from '../core/fleet';
import type { Clock } from '../core/ports';
import { queueName } from '../core/queue';
import type { FailureKind, Outcome } from '../core/task';
import type { DispatchId, Instant } from '../core/units';
import { EXECUTOR, type Executor } from '../executors/executor';
import type { HostJobs, JobReport } from '../executors/processes/host-jobs';
import { CLOCK } from '../ops/system';
import { InDoubt } from '../tasks/in-doubt';
import { PayloadReader } from '../tasks/payload-reader';
import { TaskLifecycle } from '../tasks/task-lifecycle';

/** A start that was begun, and of which nothing more is seen for so long, is not waited for, in ms. */
const BEGIN_PATIENCE_MS = 30_000;
const FIRST_SIGNAL = 128;

/** Whether there is nothing more to learn of an attempt from its host. */
export type Kept = 'open' | 'over';

/**
 * Brings the processes of an attempt in line with what is wanted of its task, and its record in line
 * with what became of them (RELIABILITY_MODEL, section 7). It goes by what the host tells and the
 * record wants alone, so that it can go on after a restart wherever another process was.
 */
@Injectable()
export class JobKeeper {
  /** Since when attempts are being ended, and since when they are about to begin. */
  private readonly endingSince = new Map<DispatchId, Instant>();
  private readonly begunSince = new Map<DispatchId, Instant>();

  constructor(
    private readonly fleet: Fleet,
    private readonly lifecycle: TaskLifecycle,
    private readonly doubts: InDoubt,
    private readonly payloads: PayloadReader,
    @Inject(EXECUTOR) private readonly executor: Executor,
    @Inject(configOf('commands')) private readonly settings: Config['commands'],
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @returns once what follows is recorded; `over`: its host may forget the attempt
   * @throws {HostUnreachableError} {SchedulerError} when it is to be tried again later
   */
  async keep(held: Held, report: JobReport, host: HostJobs): Promise<Kept> {
    const kept = await this.follow(held, report, host);
    const { dispatchId } = held.attempt;
    if (report.state.kind !== 'begun') this.begunSince.delete(dispatchId);
    if (kept === 'over') this.endingSince.delete(dispatchId);
    return kept;
  }

  private async follow(held: Held, report: JobReport, host: HostJobs): Promise<Kept> {
    const { state, left } = report;
    switch (state.kind) {
      case 'absent':
        return this.absent(held, host);
      case 'begun':
        return this.begun(held, host);
      case 'running':
        return this.running(held, report, host);
      case 'cancelled':
        // Not to be forgotten: a start that is still on its way must find that it is cancelled.
        await this.lifecycle.returned(held, 'it was not started');
        return 'open';
      case 'unable': {
        const failure = { failure: 'start_error', message: state.reason } as const;
        return this.ended(held, report, { kind: 'failed', ...failure, executionMs: null }, null);
      }
      case 'exited':
        if (left > 0) return this.end(held, host);
        return this.ended(held, report, outcomeOf(state.code, state.ranMs), state.code);
      case 'orphaned':
        if (left > 0) return this.kill(held, host);
        return this.ended(held, report, unknown('its supervisor is gone without a word'), null);
      case 'rebooted':
        if (left > 0) return this.kill(held, host);
        return this.ended(held, report, unknown('its host was started anew'), null);
    }
  }

  /** Its host knows nothing of it: it never came there, or what it left was taken away. */
  private async absent(held: Held, host: HostJobs): Promise<Kept> {
    if (this.doubts.has(held)) {
      if (isWanted(held)) return this.startAgain(held);
      return this.cancel(held, host);
    }
    if (held.attempt.state === 'lost') return 'open';
    const left = await host.signal(held.attempt.dispatchId, 'KILL');
    if (left > 0) return 'open';
    const outcome = unknown('its host knows nothing of it any more');
    return this.ended(held, ABSENT, outcome, null);
  }

  private async begun(held: Held, host: HostJobs): Promise<Kept> {
    const { dispatchId } = held.attempt;
    const since = this.begunSince.get(dispatchId) ?? this.clock.now();
    this.begunSince.set(dispatchId, since);
    const isStuck = this.clock.now() - since > BEGIN_PATIENCE_MS;
    return isStuck || !isWanted(held) ? this.cancel(held, host) : 'open';
  }

  private async running(held: Held, { paused }: JobReport, host: HostJobs): Promise<Kept> {
    const { attempt, task } = held;
    if (!isWanted(held)) return this.end(held, host);
    const wantsPause = task.state === 'paused';
    const told = this.tellRunning(held);
    if (wantsPause !== paused) await host.signal(attempt.dispatchId, wantsPause ? 'STOP' : 'CONT');
    await told;
    return 'open';
  }

  /** Its record knows that its command was started, before anything else is said of it. */
  private async tellRunning(held: Held): Promise<void> {
    const isDoubted = this.doubts.has(held);
    this.doubts.settle({ held });
    await Promise.all([
      isDoubted && this.lifecycle.confirmed(held, held.attempt.dispatchId),
      this.lifecycle.started(held),
    ]);
  }

  /** The answer to its start was lost, and the start was as well. */
  private async startAgain(held: Held): Promise<Kept> {
    const { attempt, task } = held;
    const instance = this.fleet.instances.get(attempt.instanceId);
    const payload = await this.payloads.read(task.id);
    if (!instance || !payload) {
      await this.lifecycle.returned(held, 'nothing to start');
      return 'open';
    }
    this.fleet.course.sent(held);
    const { dispatchId } = attempt;
    const request = { taskId: task.id, dispatchId, queueName: queueName(task.queue), ...payload };
    const result = await this.executor.start(instance, request);
    if (result.kind === 'accepted') {
      this.doubts.settle({ held });
      await this.lifecycle.confirmed(held, result.remoteId);
    } else if (result.kind !== 'unknown') {
      await this.lifecycle.returned(held, `${instance.name} refused: ${result.reason}`);
    }
    return 'open';
  }

  private async cancel(held: Held, host: HostJobs): Promise<Kept> {
    if (await host.cancel(held.attempt.dispatchId))
      await this.lifecycle.returned(held, 'it was cancelled before it was started');
    return 'open';
  }

  /** Asks its processes to end, and ends them when they have not within the grace. */
  private async end(held: Held, host: HostJobs): Promise<Kept> {
    const { dispatchId } = held.attempt;
    const since = this.endingSince.get(dispatchId);
    if (since === undefined) {
      // What stands still would never hear of its end.
      await host.signal(dispatchId, 'TERM', 'CONT');
      // Not before: who was not reached has heard nothing, and has its grace yet to come.
      this.endingSince.set(dispatchId, this.clock.now());
    } else if (this.clock.now() - since >= this.settings.killGraceMs) {
      await host.signal(dispatchId, 'KILL');
    }
    return 'open';
  }

  private async kill({ attempt }: Held, host: HostJobs): Promise<Kept> {
    await host.signal(attempt.dispatchId, 'KILL');
    return 'open';
  }

  /** Nothing of it is left, and this is how it ended. */
  private async ended(
    held: Held,
    { stopped, state }: JobReport,
    outcome: Outcome,
    code: number | null,
  ): Promise<Kept> {
    const { attempt, task } = held;
    const result = code === null ? null : JSON.stringify({ exit_code: code });
    const isOwnEnd = state.kind === 'exited' && !stopped;
    if (attempt.state === 'abandoned' || (task.state === 'stopping' && !isOwnEnd)) {
      await this.lifecycle.halted(held, outcomeInWords(outcome), outcome.executionMs, result);
      return 'over';
    }
    // One that was given up may yet have succeeded; how it failed does not matter any more.
    if (attempt.state === 'lost' && (outcome.kind === 'failed' || stopped)) return 'over';
    const began = state.kind === 'exited' ? this.tellRunning(held) : undefined;
    await Promise.all([began, this.lifecycle.end(held, outcome, result)]);
    return 'over';
  }
}

const ABSENT: JobReport = { state: { kind: 'absent' }, left: 0, stopped: false, paused: false };

/** True while its command is to run, or to stand still, and not to end. */
function isWanted({ attempt, task }: Held): boolean {
  return attempt.state === 'live' && task.state !== 'stopping';
}

function outcomeOf(code: number, executionMs: number): Outcome {
  if (code === 0) return { kind: 'succeeded', executionMs };
  const byShell = code > FIRST_SIGNAL ? ` (ended by signal ${code - FIRST_SIGNAL}?)` : '';
  return failed('exit', `exited with ${code}${byShell}`, executionMs);
}

function unknown(why: string): Outcome {
  return failed('lost', `its end is unknown: ${why}`, null);
}

function failed(failure: FailureKind, message: string, executionMs: number | null): Outcome {
  return { kind: 'failed', failure, message, executionMs };
}

function outcomeInWords(outcome: Outcome): string {
  return outcome.kind === 'failed' ? outcome.message : 'exited with 0';
}
