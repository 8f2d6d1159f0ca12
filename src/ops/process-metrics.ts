import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';

const NS_PER_SECOND = 1e9;
const MICROS_PER_SECOND = 1e6;
const QUANTILES = [0.5, 0.9, 0.99];
/** How often the delay of the event loop is sampled, in ms. */
const RESOLUTION_MS = 10;

/**
 * What the process takes, under the names that every Prometheus client uses. Our own, because those
 * of the library watch the process for ever, and these end with the term.
 */
@Injectable()
export class ProcessMetrics implements OnModuleDestroy {
  private readonly delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor(registry: Registry) {
    this.delay.enable();
    const registers = [registry];
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'CPU time that the process has taken, user and system.',
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / MICROS_PER_SECOND);
      },
    });
    gauge(
      registry,
      'process_start_time_seconds',
      'When the process started, in Unix time.',
      () => Math.round(performance.timeOrigin) / 1_000,
    );
    gauge(registry, 'process_resident_memory_bytes', 'Memory that the process holds.', () =>
      process.memoryUsage.rss(),
    );
    gauge(
      registry,
      'process_open_fds',
      'Open files and sockets; 0 where that is not told.',
      openFiles,
    );
    gauge(
      registry,
      'nodejs_heap_size_used_bytes',
      'Memory that objects of JavaScript take.',
      () => process.memoryUsage().heapUsed,
    );
    this.watchEventLoop(registry);
  }

  onModuleDestroy(): void {
    this.delay.disable();
  }

  /** Of the time since the figures were read last: a longest delay of all time says nothing. */
  private watchEventLoop(registry: Registry): void {
    const { delay } = this;
    new Gauge({
      name: 'foresail_event_loop_delay_seconds',
      help: 'How late the event loop was since these figures were read last.',
      labelNames: ['quantile'],
      registers: [registry],
      collect() {
        for (const quantile of QUANTILES) {
          const ns = delay.percentile(quantile * 100);
          this.set({ quantile }, ns / NS_PER_SECOND);
        }
        this.set({ quantile: 1 }, delay.max / NS_PER_SECOND);
        delay.reset();
      },
    });
  }
}

/** A figure that is looked up whenever it is read. */
export function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
