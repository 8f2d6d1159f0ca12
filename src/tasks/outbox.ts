import { Injectable } from '@nestjs/common';
import type { Held } from '../core/backlog';
import type { Change } from '../core/task';
import { Fleet } from '../core/fleet';

/** Attempts whose reservation is committed and that wait to be sent. */
@Injectable()
export class Outbox {
  private ready: Held[] = [];

  constructor(private readonly fleet: Fleet) {}

  /** Takes the attempts that these committed changes reserved. */
  post(changes: readonly Change[]): void {
    for (const { event, attempts } of changes) {
      if (event.type !== 'reserved') continue;
      for (const attempt of attempts) {
        const held = this.fleet.held(attempt);
        if (held) this.ready.push(held);
      }
    }
  }

  /** Everything that is ready, once. */
  take(): readonly Held[] {
    const taken = this.ready;
    this.ready = [];
    return taken;
  }
}
