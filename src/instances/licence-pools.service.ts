import { Injectable } from '@nestjs/common';
import { SchedulerError } from '../core/errors';
import { Fleet } from '../core/fleet';
import type { LicencePool } from '../core/licences';
import { InTurn } from '../ops/in-turn';
import { WakeupBell } from '../ops/wakeup';
import { LicencePoolsRepository } from '../persistence/licence-pools.repository';

/** Licence pools, in memory and in the table. What is set holds from the next placement on. */
@Injectable()
export class LicencePoolsService {
  private readonly turns = new InTurn();

  constructor(
    private readonly fleet: Fleet,
    private readonly repository: LicencePoolsRepository,
    private readonly bell: WakeupBell,
  ) {}

  /** Every pool, by name. */
  all(): readonly LicencePool[] {
    return this.fleet.licences.all();
  }

  /**
   * Makes a pool, or gives it another number of tokens; below what is used it is allowed.
   * @throws {SchedulerError} store_unavailable
   */
  set(name: string, tokens: number): Promise<LicencePool> {
    return this.turns.run(async () => {
      await this.repository.set(name, tokens);
      this.fleet.licences.set(name, tokens);
      this.bell.signal();
      return this.get(name);
    });
  }

  /**
   * Takes a pool away: its tools draw from the pool `default` then, or without a limit.
   * @returns the pool as it was
   * @throws {SchedulerError} unknown_licence_pool, store_unavailable
   */
  delete(name: string): Promise<LicencePool> {
    return this.turns.run(async () => {
      const pool = this.get(name);
      await this.repository.delete(name);
      this.fleet.licences.delete(name);
      this.bell.signal();
      return pool;
    });
  }

  private get(name: string): LicencePool {
    const pool = this.all().find((one) => one.name === name);
    if (pool) return pool;
    const message = `there is no licence pool ${JSON.stringify(name)}`;
    throw new SchedulerError('unknown_licence_pool', message);
  }
}
