import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { Fleet } from '../core/fleet';
import type { Health } from '../core/instance';

const HEALTHS: readonly Health[] = ['online', 'suspect', 'lost'];

/** How many instances there are, and how they are. */
@Injectable()
export class InstanceMetrics {
  constructor(registry: Registry, fleet: Fleet) {
    const registers = [registry];
    new Gauge({
      name: 'foresail_instances',
      help: 'Instances in service, by health.',
      labelNames: ['health'],
      registers,
      collect() {
        for (const health of HEALTHS) this.set({ health }, 0);
        for (const { health, removed } of fleet.instances.values()) {
          if (!removed) this.inc({ health });
        }
      },
    });
    new Gauge({
      name: 'foresail_instances_draining',
      help: 'Instances in service that get no new work because they are drained.',
      registers,
      collect() {
        const all = [...fleet.instances.values()];
        this.set(all.filter(({ draining, removed }) => draining && !removed).length);
      },
    });
  }
}
