import { Inject, Injectable } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { SchedulerError } from '../core/errors';
import { PlacementLine } from '../core/placement-line';
import type { Clock } from '../core/ports';
import { CLOCK } from '../ops/system';
import type { Receipt } from '../tasks/task-intake';
import type { AskedPlacement } from './placement-drafts';
import { PlacementMetrics, type Unplaced } from './placement-metrics';

interface Waiter extends AskedPlacement {
  readonly settle: (receipt: Promise<Receipt>) => void;
}

const RETRY_AFTER = { retryAfterSeconds: 1 };

/** Clients that wait in line until a worker has room for what they ask. */
@Injectable()
export class WaitingClients {
  private readonly line = new PlacementLine<Waiter>();
  private isClosed = false;

  constructor(
    private readonly metrics: PlacementMetrics,
    @Inject(configOf('limits')) private readonly limits: Config['limits'],
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    metrics.waiting = () => this.line.size;
  }

  get isEmpty(): boolean {
    return this.line.size === 0;
  }

  /**
   * Waits for its turn.
   * @param waitMs 0: it does not wait
   * @param signalOfGone makes the signal that the client has gone away, which ends the wait
   * @throws {SchedulerError} no_capacity when nobody had room in time; queue_full; not_leading when
   *   this process stops; and as its placement does
   */
  async wait(
    asked: AskedPlacement,
    waitMs: number,
    signalOfGone: () => AbortSignal,
  ): Promise<Receipt> {
    if (waitMs === 0) throw this.unplaced('nobody_fits');
    if (this.isClosed) throw stopping();
    if (this.line.size >= this.limits.waitingPlacements) {
      this.metrics.count('line_full');
      const message = `${this.line.size} clients wait for a worker, and that is the limit`;
      throw new SchedulerError('queue_full', message, RETRY_AFTER);
    }
    const gone = signalOfGone();
    return new Promise((resolve) => {
      const leave = (reason: Unplaced): void => {
        if (this.line.remove(waiter)) waiter.settle(Promise.reject(this.unplaced(reason)));
      };
      const timer = setTimeout(() => leave('waited_in_vain'), waitMs);
      const onGone = (): void => leave('client_gone');
      const settle = (receipt: Promise<Receipt>): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', onGone);
        resolve(receipt);
      };
      const waiter = { ...asked, settle };
      this.line.add(waiter);
      gone.addEventListener('abort', onGone);
      if (gone.aborted) onGone();
    });
  }

  /**
   * Serves whoever waits, in turn.
   * @param place undefined when nobody has room for it
   */
  serve(place: (asked: AskedPlacement) => Promise<Receipt> | undefined): void {
    this.line.serve((waiter) => {
      const receipt = place(waiter);
      if (receipt) waiter.settle(receipt);
      return receipt !== undefined;
    }, this.clock.now());
  }

  /** Nobody is served any more: whoever waits is told to ask again. */
  sendAway(): void {
    this.isClosed = true;
    for (const waiter of this.line.all()) {
      this.line.remove(waiter);
      waiter.settle(Promise.reject(stopping()));
    }
  }

  /** Counts that somebody got no worker, and says so in the words of the original. */
  unplaced(reason: Unplaced): SchedulerError {
    this.metrics.count(reason);
    const message = 'no available worker matching requirements';
    return new SchedulerError('no_capacity', message, RETRY_AFTER);
  }
}

function stopping(): SchedulerError {
  const message = 'this process stops leading; ask again';
  return new SchedulerError('not_leading', message, RETRY_AFTER);
}
