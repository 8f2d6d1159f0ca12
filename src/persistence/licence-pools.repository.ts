import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TERM, type Term } from '../ops/term';
import { LicencePoolEntity } from './entities/licence-pool.entity';
import { answered, inTerm } from './store';

/** Licence pools that operators have set. Writes belong to the term that is being led. */
@Injectable()
export class LicencePoolsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** How many tokens each has, by name. */
  async all(): Promise<ReadonlyMap<string, number>> {
    const rows = await answered(() => this.dataSource.getRepository(LicencePoolEntity).find());
    return new Map(rows.map(({ name, tokens }) => [name, tokens]));
  }

  /** @throws {SchedulerError} store_unavailable, not_leading */
  async set(name: string, tokens: number): Promise<void> {
    const row = { name, tokens, updatedAt: new Date() };
    await inTerm(this.dataSource, this.term, (manager) =>
      manager.upsert(LicencePoolEntity, row, ['name']),
    );
  }

  /** @throws {SchedulerError} store_unavailable, not_leading */
  async delete(name: string): Promise<void> {
    await inTerm(this.dataSource, this.term, (manager) =>
      manager.delete(LicencePoolEntity, { name }),
    );
  }
}
