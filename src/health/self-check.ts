import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import type { Clock } from '../core/ports';
import { CLOCK } from '../ops/system';
import {
  CHECKED_INVARIANTS,
  InvariantsRepository,
  type Violation,
} from '../persistence/invariants.repository';

const MS_PER_SECOND = 1_000;

/** Looks now and then whether everything holds that must hold of the record, and cries if not. */
@Injectable()
export class SelfCheck implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(SelfCheck.name);
  private readonly broken: Gauge<'invariant'>;
  private readonly took: Gauge;
  private readonly doneAt: Gauge;
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> | undefined;

  constructor(
    private readonly invariants: InvariantsRepository,
    registry: Registry,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const registers = [registry];
    this.broken = new Gauge({
      name: 'foresail_invariant_violations',
      help: 'Rows that break a rule of the record, as found by the last check; at most 10 per rule.',
      labelNames: ['invariant'],
      registers,
    });
    this.took = new Gauge({
      name: 'foresail_self_check_seconds',
      help: 'How long the last check of the record took.',
      registers,
    });
    this.doneAt = new Gauge({
      name: 'foresail_self_check_timestamp_seconds',
      help: 'When the record was checked last, in Unix time.',
      registers,
    });
    this.show([]);
  }

  onApplicationBootstrap(): void {
    this.begin();
    this.timer = setInterval(() => this.begin(), this.config.intervals.selfCheckMs);
    this.timer.unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.checking;
  }

  /** Not before the last one is through: a database that is slow is not asked twice. */
  private begin(): void {
    this.checking ??= this.check().finally(() => (this.checking = undefined));
  }

  private async check(): Promise<void> {
    const began = this.clock.now();
    try {
      const violations = await this.invariants.violations();
      for (const violation of violations) {
        this.logger.error({ msg: 'a rule of the record is broken', ...violation });
      }
      this.show(violations);
      this.took.set((this.clock.now() - began) / MS_PER_SECOND);
      this.doneAt.set(this.clock.wallMs() / MS_PER_SECOND);
    } catch (error) {
      this.logger.warn({ msg: 'the record could not be checked; it is tried again later', error });
    }
  }

  private show(violations: readonly Violation[]): void {
    for (const invariant of CHECKED_INVARIANTS) this.broken.set({ invariant }, 0);
    for (const { invariant } of violations) this.broken.inc({ invariant });
  }
}
