import {
  Inject,
  Injectable,
  Logger,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG } from '../config/config.module';
import type { Config } from '../config/config.schema';
import type { Clock } from '../core/ports';
import { CLOCK } from '../ops/system';
import { TaskHistory } from '../tasks/task-history';
import { TaskLifecycle } from '../tasks/task-lifecycle';
import { TaskRecorder } from '../tasks/task-recorder';

const DAY_MS = 86_400_000;
/** Rows of one retention step: short, so that it never holds up the journal. */
const BATCH = 500;
const DEADLINE_TICK_MS = 250;

/** What must be done now and then: time limits, and letting old history go. */
@Injectable()
export class Housekeeping implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(Housekeeping.name);
  private sweeper: NodeJS.Timeout | undefined;
  private stopped = false;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly lifecycle: TaskLifecycle,
    private readonly recorder: TaskRecorder,
    private readonly history: TaskHistory,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.sweeper = setInterval(() => {
      this.sweeping = this.sweep();
    }, this.config.retention.sweepMs);
    this.sweeper.unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearInterval(this.sweeper);
    await this.sweeping;
  }

  /** Ends attempts that took longer than they may. */
  @Interval(DEADLINE_TICK_MS)
  async expire(): Promise<void> {
    if (!this.recorder.canRecord) return;
    try {
      await this.lifecycle.expireOverdue();
    } catch (error) {
      this.logger.warn({ msg: 'could not end overdue attempts', error });
    }
  }

  /** Removes what is older than the retention, batch by batch until nothing is left. */
  private async sweep(): Promise<void> {
    const { historyDays, payloadDays } = this.config.retention;
    const now = this.clock.wallMs();
    const bounds = {
      historyBefore: new Date(now - historyDays * DAY_MS),
      payloadBefore: new Date(now - payloadDays * DAY_MS),
      limit: BATCH,
    };
    try {
      for (let gone = BATCH; gone >= BATCH && !this.stopped;)
        gone = await this.history.retain(bounds);
    } catch (error) {
      this.logger.warn({ msg: 'retention failed; it is tried again later', error });
    }
  }
}
