import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Held } from '../core/backlog';
import { Fleet } from '../core/fleet';
import type { Clock } from '../core/ports';
import type { DispatchId, Instant } from '../core/units';
import { CLOCK } from '../ops/system';

/** An attempt of which nobody knows yet whether its worker has it. */
export interface Doubt {
  readonly held: Held;
  readonly since: Instant;
}

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
      const isSending = state === 'live' && held.task.state === 'dispatching';
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

  settle({ held }: Doubt): void {
    this.doubts.delete(held.attempt.dispatchId);
  }
}
