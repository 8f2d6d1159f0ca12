import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Fleet } from '../core/fleet';
import type { SpeedRecord } from '../core/speed';
import type { InstanceId } from '../core/units';
import { InstancesRepository } from '../persistence/instances.repository';

/** What is learned between two of these is lost with the process, and soon learned again. */
const SAVE_EVERY_MS = 30_000;

/** Keeps what was learned of the speed of instances, so that a restart goes on with it. */
@Injectable()
export class SpeedKeeper implements OnModuleDestroy {
  private readonly logger = new Logger(SpeedKeeper.name);
  /** As they are in the table, as far as this process has read or written them. */
  private saved: ReadonlyMap<InstanceId, SpeedRecord>;
  private saving: Promise<void> | undefined;

  constructor(
    private readonly fleet: Fleet,
    @Inject(InstancesRepository)
    private readonly instances: Pick<InstancesRepository, 'saveSpeeds'>,
  ) {
    this.saved = this.speeds();
  }

  async onModuleDestroy(): Promise<void> {
    await this.saving;
    await this.save();
  }

  /** Writes what has changed; one at a time, since a database may be slow. */
  @Interval(SAVE_EVERY_MS)
  save(): Promise<void> {
    this.saving ??= this.write().finally(() => (this.saving = undefined));
    return this.saving;
  }

  private async write(): Promise<void> {
    const speeds = this.speeds();
    const changed = [...speeds].filter(([id, speed]) => !isSame(this.saved.get(id), speed));
    if (changed.length === 0) return;
    try {
      await this.instances.saveSpeeds(new Map(changed));
      this.saved = speeds;
    } catch (error) {
      this.logger.warn({ msg: 'speeds of instances could not be saved; tried again later', error });
    }
  }

  private speeds(): ReadonlyMap<InstanceId, SpeedRecord> {
    const speeds = new Map<InstanceId, SpeedRecord>();
    for (const { id, learnedSpeed } of this.fleet.instances.values()) {
      speeds.set(id, learnedSpeed.record);
    }
    return speeds;
  }
}

function isSame(saved: SpeedRecord | undefined, speed: SpeedRecord): boolean {
  return saved?.outcomes === speed.outcomes && saved.declared === speed.declared;
}
