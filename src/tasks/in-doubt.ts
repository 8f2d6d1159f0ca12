import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Held } from '../core/backlog';
import { Fleet } from '../core/fleet';
import type { Clock } from '../core/ports';
import type { TaskState } from '../core/task';
import type { DispatchId, Instant } from '../core/units';
import { CLOCK } from '../ops/system';

/** An attempt of which nobody knows yet whether its worker has it. */
export interface Doubt {
  readonly held: Held;
  readonly since: Instant;
}

/** States in which an attempt without an id may be on its way. */
const SENDING: ReadonlySet<TaskState> = new Set<TaskState>(['dispatching', 'stopping']);

/**
 * Attempts whose request was sent, or may have been, and whose answer is unknown: after a lost
 * answer, or a restart. Whoever asks the worker resolves them.
 */
@Injectable()
export class InDoubt implements OnModuleInit {
  private readonly doubts = new Map<DispatchId, Doubt>();

  constructor(
    private readonly fleet: Fleet,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** After a restart nobody knows whether what was being sent has arrived. */
  onModuleInit(): void {
    for (const held of this.fleet.attempts.all()) {
      const { state, remoteId } = held.attempt;
      // A job may have been stopped while it was being sent.
      const isSending = state === 'live' && SENDING.has(held.task.state) && remoteId === null;
      if (!isSending && !(state === 'abandoned' && remoteId === null)) continue;
      this.add(held, this.clock.now());
    }
  }

  add(held: Held, since: Instant): void {
    this.doubts.set(held.attempt.dispatchId, { held, since });
  }

  /** Those that are still open; a report, a stop or a loss may have settled the others meanwhile. */
  open(): readonly Doubt[] {
    for (const [id, { held }] of this.doubts) {
      const { state } = held.attempt;
      const occupies = state === 'live' || state === 'abandoned';
      if (!occupies || !this.fleet.held(held.attempt)) this.doubts.delete(id);
    }
    return [...this.doubts.values()];
  }

  has({ attempt }: Held): boolean {
    return this.doubts.has(attempt.dispatchId);
  }

  settle({ held }: Pick<Doubt, 'held'>): void {
    this.doubts.delete(held.attempt.dispatchId);
  }
}
