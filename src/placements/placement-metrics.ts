import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

/** Why a client got no worker. */
export type Unplaced = 'nobody_fits' | 'waited_in_vain' | 'client_gone' | 'line_full';

/** Counts what leaves no trace in the history: a placement that was not made. */
@Injectable()
export class PlacementMetrics {
  /** How many wait in line now. */
  waiting: () => number = () => 0;
  private readonly unplaced: Counter<'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.unplaced = new Counter({
      name: 'foresail_placements_unplaced_total',
      help: 'Placements that were asked for and not made, by reason.',
      labelNames: ['reason'],
      registers,
    });
    const waiting = (): number => this.waiting();
    new Gauge({
      name: 'foresail_placements_waiting',
      help: 'Clients that wait in line for a worker.',
      registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  count(reason: Unplaced): void {
    this.unplaced.inc({ reason });
  }
}
