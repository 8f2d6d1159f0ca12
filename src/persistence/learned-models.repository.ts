import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TERM, type Term } from '../ops/term';
import { answered, inTerm } from './store';

/** What was learned of one model. */
export interface LearnedModel {
  readonly model: string;
  /** As JSON. */
  readonly state: unknown;
  /** Every end of a task up to here is part of it: Unix ms, with fractions. */
  readonly learnedUntilMs: number;
}

/** What was learned of one model, and when it was written: those that were written together share it. */
export interface StoredLearnedModel extends LearnedModel {
  readonly savedAtMs: number;
}

/** What was learned of each model. Writes belong to the term that is being led. */
@Injectable()
export class LearnedModelsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(TERM) private readonly term: Term,
  ) {}

  /** Everything, some models at a time: one may take a MiB. */
  async *all(): AsyncGenerator<readonly StoredLearnedModel[], void, undefined> {
    let after: string | undefined = '';
    while (after !== undefined) {
      const from: string = after;
      const rows = await answered(() => this.dataSource.query<ModelRow[]>(PAGE_OF_MODELS, [from]));
      yield rows.map(
        ({ model, state, learned_until_ms: learnedUntilMs, saved_at_ms: savedAtMs }) => ({
          ...{ model, learnedUntilMs, savedAtMs },
          state: JSON.parse(state) as unknown,
        }),
      );
      after = rows.length === PAGE ? rows.at(-1)?.model : undefined;
    }
  }

  /**
   * Writes them together, or none. Each is asked for when its turn comes, so that nobody has to wait
   * for all of them.
   * @throws {SchedulerError} store_unavailable, not_leading
   */
  async save(models: Iterable<LearnedModel>): Promise<void> {
    await inTerm(this.dataSource, this.term, async (manager) => {
      for (const { model, state, learnedUntilMs } of models) {
        await manager.query(SAVE_MODEL, [model, JSON.stringify(state), learnedUntilMs]);
      }
    });
  }
}

const PAGE = 10;

interface ModelRow {
  readonly model: string;
  readonly state: string;
  readonly learned_until_ms: number;
  readonly saved_at_ms: number;
}

const PAGE_OF_MODELS = `
  SELECT model, state,
         (extract(epoch FROM learned_until) * 1000)::float8 AS learned_until_ms,
         (extract(epoch FROM saved_at) * 1000)::float8 AS saved_at_ms
    FROM learned_models
   WHERE model > $1
   ORDER BY model LIMIT ${PAGE}`;

/** A timestamp has whole microseconds: rounded up, so that what it stands for is not after it. */
const SAVE_MODEL = `
  INSERT INTO learned_models (model, state, learned_until, saved_at)
  VALUES ($1, $2, to_timestamp(ceil($3::float8 * 1000) / 1e6), now())
  ON CONFLICT (model) DO UPDATE
     SET state = excluded.state, learned_until = excluded.learned_until,
         saved_at = excluded.saved_at`;
