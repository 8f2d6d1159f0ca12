import { Injectable } from '@nestjs/common';
import type { Wakeup } from '../core/ports';

/**
 * Brings "something may be placeable or sendable now" from whoever changed the fleet to the
 * dispatcher. Signals of one turn of the event loop are one wake.
 */
@Injectable()
export class WakeupBell implements Wakeup {
  private listener: (() => void) | undefined;
  private rung = false;

  /** There is one listener: the dispatcher. */
  listen(listener: () => void): void {
    this.listener = listener;
  }

  signal(): void {
    if (this.rung) return;
    this.rung = true;
    setImmediate(() => {
      this.rung = false;
      this.listener?.();
    });
  }
}
