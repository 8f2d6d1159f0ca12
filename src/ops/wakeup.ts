import { Injectable } from '@nestjs/common';
import type { Wakeup } from '../core/ports';

/**
 * Brings "something may be placeable, sendable or to be stopped now" from whoever changed the fleet
 * to the dispatcher and the watcher of jobs. Signals of one turn of the event loop are one wake.
 */
@Injectable()
export class WakeupBell implements Wakeup {
  private readonly listeners: (() => void)[] = [];
  private rung = false;

  /** In the order in which they asked for it. */
  listen(listener: () => void): void {
    this.listeners.push(listener);
  }

  signal(): void {
    if (this.rung) return;
    this.rung = true;
    setImmediate(() => {
      this.rung = false;
      for (const listener of this.listeners) listener();
    });
  }
}
