import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { ALERT_KINDS } from '../config/alert-settings';

/** What was told, what was left out, and what became of it. */
@Injectable()
export class AlertMetrics {
  readonly raised: Counter<'kind'>;
  readonly leftOut: Counter<'kind'>;
  readonly tries: Counter<'outcome'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.raised = new Counter({
      name: 'foresail_alerts_total',
      help: 'Alerts that were raised, by kind.',
      labelNames: ['kind'],
      registers,
    });
    this.leftOut = new Counter({
      name: 'foresail_alerts_left_out_total',
      help: 'Alerts that were left out because there were too many, by kind.',
      labelNames: ['kind'],
      registers,
    });
    this.tries = new Counter({
      name: 'foresail_alert_tries_total',
      help: 'Tries to deliver an alert to a webhook: delivered, failed, or given up after the last.',
      labelNames: ['outcome'],
      registers,
    });
    for (const kind of ALERT_KINDS) {
      this.raised.inc({ kind }, 0);
      this.leftOut.inc({ kind }, 0);
    }
    for (const outcome of ['delivered', 'failed', 'given_up']) this.tries.inc({ outcome }, 0);
  }
}
