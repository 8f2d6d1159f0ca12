import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Term } from '../../src/ops/term';
import { createDataSource } from '../../src/persistence/data-source';
import { LearnedModelsRepository } from '../../src/persistence/learned-models.repository';
import { OutcomesRepository, type TimeSpan } from '../../src/persistence/outcomes.repository';
import { LearnedModels } from '../../src/predictions/learned-models.service';
import { LearnedPredictor } from '../../src/predictions/learned.predictor';
import { LEVELS, type Features } from '../../src/predictions/online.predictor';
import { LearnedSource } from '../../src/predictions/sources/learned.source';
import { OutcomeLearner } from '../../src/tasks/outcome-learner';
import { PayloadCache } from '../../src/tasks/payload-cache';
import { freshDatabase, type TestDatabase } from '../support/database';
import { until } from '../support/until';

const term: Term = { epoch: 1, end: () => undefined };

let database: TestDatabase;
let source: DataSource;

beforeEach(async () => {
  Logger.overrideLogger(false);
  database = await freshDatabase();
  source = await createDataSource(database.url, { poolSize: 2 }).initialize();
  await source.query('UPDATE leadership SET epoch = 1');
});

afterEach(async () => {
  await source.destroy();
  await database.drop();
});

const featuresOf = (tokens: number, model = 'm'): Features => ({
  model,
  metadata: { tokens, hardware: 'A100\0' },
});
const quantiles = (predictor: LearnedPredictor, model = 'm'): readonly number[] | undefined => {
  const told = predictor.predict(featuresOf(50, model));
  return told && LEVELS.map((level) => told.quantile(level));
};

/** What one term has of it. */
class Rig {
  readonly predictor = new LearnedPredictor();
  readonly models = new LearnedModels(this.predictor, new LearnedModelsRepository(source, term));
  readonly learner = new OutcomeLearner(
    new LearnedSource(this.predictor),
    this.models,
    new PayloadCache(),
    new OutcomesRepository(source),
  );

  teach(count: number, fromMs = 0, model = 'm'): void {
    for (let n = 1; n <= count; n += 1) {
      const tokens = (n * 37) % 100;
      this.models.learn(featuresOf(tokens, model), 10 + 3 * tokens, fromMs + n);
    }
  }
}

describe('what was learned', () => {
  it('is the same for the next term', async () => {
    const first = new Rig();
    first.teach(60);
    await first.models.save();
    const second = new Rig();
    expect(await second.models.restore()).toBe(60);
    expect(quantiles(second.predictor)).toEqual(quantiles(first.predictor));
    expect([second.models.knows('m', 60), second.models.knows('m', 61)]).toEqual([true, false]);
    expect(second.models.knows('other', 1)).toBe(false);
  });

  it('is taken up from the ends after those that were written last', async () => {
    const rig = new Rig();
    rig.teach(30, 0, 'quiet');
    await rig.models.save();
    rig.teach(30, 100, 'a');
    rig.teach(30, 200.0004, 'b');
    await rig.models.save();
    await rig.models.save();
    expect(await new Rig().models.restore()).toBeCloseTo(230.001, 4);
  });

  it('is not written by a term that is over', async () => {
    const newer = new Rig();
    newer.teach(60);
    await newer.models.save();
    const stale = new Rig();
    stale.teach(25);
    await source.query('UPDATE leadership SET epoch = 2');
    await stale.models.save();
    const after = new Rig();
    await after.models.restore();
    expect(quantiles(after.predictor)).toEqual(quantiles(newer.predictor));
  });

  it('and could not be written, is written the next time', async () => {
    const rig = new Rig();
    rig.teach(25);
    await source.query('ALTER TABLE learned_models RENAME TO away');
    await rig.models.save();
    await source.query('ALTER TABLE away RENAME TO learned_models');
    await rig.models.save();
    expect(await new Rig().models.restore()).toBe(25);
  });

  it('but cannot be read is learned again, while the rest is kept', async () => {
    const first = new Rig();
    first.teach(30, 0, 'damaged');
    first.teach(30, 100, 'sound');
    await first.models.save();
    await source.query(`UPDATE learned_models SET state = '{"format": 7}' WHERE model = 'damaged'`);
    const second = new Rig();
    expect(await second.models.restore()).toBe(0);
    expect(quantiles(second.predictor, 'damaged')).toBeUndefined();
    expect(quantiles(second.predictor, 'sound')).toEqual(quantiles(first.predictor, 'sound'));
    expect(second.models.knows('sound', 130)).toBe(true);
  });

  it('of many models comes back page by page', async () => {
    const first = new Rig();
    for (let n = 0; n < 25; n += 1) first.teach(20, 0, `m${n}`);
    await first.models.save();
    const second = new Rig();
    await second.models.restore();
    for (let n = 0; n < 25; n += 1) {
      expect(quantiles(second.predictor, `m${n}`)).toEqual(quantiles(first.predictor, `m${n}`));
    }
  });
});

/** Tasks that ended one after the other, `i` ms after 2026 began; `metadata` is SQL of `i`. */
async function write(
  count: number,
  more: { from?: number; metadata?: string } = {},
): Promise<void> {
  const { from = 0, metadata = `json_build_object('tokens', (i * 37) % 100)` } = more;
  await source.query(`
    INSERT INTO tasks
           (id, kind, queue_name, priority, state, attempt_no, event_seq, payload_bytes,
            task_input, metadata, prediction_method, prediction_levels, prediction_quantiles,
            max_attempts, attempt_timeout_ms, demand_slots, demand_cpu, demand_memory_gb,
            demand_gpu_memory_gb, submitted_at, started_at, finished_at, execution_ms, epoch,
            updated_at)
    SELECT gen_random_uuid(), 'model', 'm', 0, 'succeeded', 1, 4, 0,
           '{}', ${metadata}, 'default', '{0.5}', '{100}',
           3, 1000, 1, 0, 0,
           0, '2026-01-01', '2026-01-01', '2026-01-01'::timestamptz + i * interval '1 ms',
           10 + 3 * ((i * 37) % 100), 1,
           now()
      FROM generate_series(${from + 1}, ${from + count}) i`);
}

describe('what ended earlier', () => {
  const START = Date.parse('2026-01-01T00:00:00Z');
  const ends = async (span: TimeSpan): Promise<readonly number[]> => {
    const found: number[] = [];
    for await (const page of new OutcomesRepository(source).finishedIn(span)) {
      found.push(...page.map(({ finishedMs }) => Math.round(finishedMs - START)));
    }
    return found;
  };

  it('comes in the order of its end, from behind one end up to another', async () => {
    await write(250);
    const all = Array.from({ length: 250 }, (_, n) => n + 1);
    expect(await ends({ afterMs: START, untilMs: START + 250 })).toEqual(all);
    expect(await ends({ afterMs: START + 20, untilMs: START + 240 })).toEqual(all.slice(20, 240));
  });

  it('also when many ended at once', async () => {
    await write(250);
    await source.query(`ALTER TABLE tasks DISABLE TRIGGER USER`);
    await source.query(
      `UPDATE tasks SET finished_at = '2026-01-01'::timestamptz + interval '7 ms'`,
    );
    expect(await ends({ afterMs: START, untilMs: START + 7 })).toHaveLength(250);
  });

  it('has bounds', async () => {
    const outcomes = new OutcomesRepository(source);
    expect(await outcomes.newestEnds(10)).toBeUndefined();
    await write(30);
    const span = await outcomes.newestEnds(10);
    expect(await ends(span!)).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });

  it('leaves out what is not known any more', async () => {
    await write(3);
    await source.query(
      `UPDATE tasks SET task_input = NULL, metadata = NULL WHERE execution_ms < 100`,
    );
    expect(await ends({ afterMs: START, untilMs: START + 9 })).toEqual([1, 2]);
  });

  it('is learned at the start of a term, as if it had been seen, and only once', async () => {
    await write(150);
    const seen = new Rig();
    for (let i = 1; i <= 250; i += 1) {
      const tokens = (i * 37) % 100;
      seen.models.learn({ model: 'm', metadata: { tokens } }, 10 + 3 * tokens, START + i);
    }
    const first = new Rig();
    await first.learner.onModuleInit();
    await first.learner.onModuleDestroy();
    await write(100, { from: 150 });
    const second = new Rig();
    await second.learner.onModuleInit();
    const all = String(quantiles(seen.predictor));
    await until(() => String(quantiles(second.predictor)) === all, 'the history to be learned');
    await second.learner.onModuleDestroy();
    const third = new Rig();
    await third.learner.onModuleInit();
    expect(quantiles(third.predictor)).toEqual(quantiles(seen.predictor));
    await third.learner.onModuleDestroy();
    expect(quantiles(third.predictor)).toEqual(quantiles(seen.predictor));
  });
});
