import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { TaskId } from '../../src/core/units';
import type { Term } from '../../src/ops/term';
import { OutcomesRepository } from '../../src/persistence/outcomes.repository';
import { PredictionSettingsRepository } from '../../src/persistence/prediction-settings.repository';
import { quartiles } from '../support/builders';
import { heldOf, journalRig, PAYLOAD, type JournalRig } from '../support/journal-rig';

const term: Term = { epoch: 1, end: () => undefined };

let rig: JournalRig;
let source: DataSource;

beforeEach(async () => {
  rig = await journalRig(3);
  source = await rig.openSource();
});

afterEach(async () => {
  expect(await rig.violations()).toEqual([]);
  await rig.close();
});

describe('recent outcomes', () => {
  const finish = async (executionMs: number | null, overrides = {}): Promise<void> => {
    const { task, changes } = rig.admit(overrides);
    await rig.journal.submit(changes, PAYLOAD);
    const outcome = { kind: 'succeeded', executionMs } as const;
    const ended = rig.fleet.course.ended(heldOf(rig.fleet, task), outcome);
    await rig.journal.append(ended.changes, null);
    rig.fleet.forget(task);
  };
  const actual = async (among: number): Promise<readonly number[]> =>
    (await new OutcomesRepository(source).recent(among)).map(({ actualMs }) => actualMs);

  it('come with what was predicted, newest last', async () => {
    const prediction = quartiles(100, 200, 300);
    await finish(150, { prediction });
    const outcomes = await new OutcomesRepository(source).recent(10);
    const [instance] = rig.fleet.instances.values();
    expect(outcomes).toEqual([
      { model: 'm', instanceId: instance!.id, actualMs: 150, ...prediction },
    ]);
    rig.rig.clock.advance(1_000);
    await finish(250);
    expect(await actual(10)).toEqual([150, 250]);
    expect(await actual(1)).toEqual([250]);
  });

  it('leave out what says nothing', async () => {
    await finish(null);
    expect(await actual(10)).toEqual([]);
  });

  it('are as an instance of speed 1 would have taken, as far as that is known', async () => {
    const [instance] = rig.fleet.instances.values();
    rig.fleet.updateInstance(instance!, { declaredSpeed: 4 });
    await finish(100);
    expect(await actual(10)).toEqual([400]);
    await rig.query('UPDATE attempts SET speed = NULL');
    expect(await actual(10)).toEqual([100]);
  });
});

describe('recent jobs', () => {
  const finish = async (
    metadata: object,
    executionMs: number | null,
    attemptTimeoutMs = 500,
  ): Promise<void> => {
    const { task, changes } = rig.admit({ kind: 'batch', attemptTimeoutMs });
    await rig.journal.submit(changes, { ...PAYLOAD, metadata: JSON.stringify(metadata) });
    const outcome = { kind: 'failed', failure: 'exit', message: '1', executionMs } as const;
    const ended = rig.fleet.course.ended(heldOf(rig.fleet, task), outcome);
    await rig.journal.append(ended.changes, null);
    rig.fleet.forget(task);
    rig.rig.clock.advance(1_000);
  };

  it('come with their owners in the order of their ends, as far as both are known', async () => {
    await finish({ owner: 'ann' }, 10);
    await finish({ owner: 'ann' }, 20, 700);
    await finish({ owner: 'bob' }, null);
    await finish({}, 30);
    await finish({ owner: 'bob' }, 40);
    const outcomes = new OutcomesRepository(source);
    expect(await outcomes.recentJobs(10)).toEqual([
      { owner: 'ann', limitMs: 500, runMs: 10 },
      { owner: 'ann', limitMs: 700, runMs: 20 },
      { owner: 'bob', limitMs: 500, runMs: 40 },
    ]);
    expect(await outcomes.recentJobs(1)).toEqual([{ owner: 'bob', limitMs: 500, runMs: 40 }]);
    expect(await outcomes.recent(10)).toEqual([]);
  });
});

describe('metadata of tasks', () => {
  it('come as they were sent; too long ones, and those that have been let go, do not', async () => {
    const metadata = ['{"a": 1.0}', JSON.stringify({ text: randomText(40_000) }), '{}'];
    const ids: TaskId[] = [];
    for (const text of metadata) {
      const { task, changes } = rig.admit();
      await rig.journal.submit(changes, { ...PAYLOAD, metadata: text });
      ids.push(task.id);
    }
    const ended = rig.fleet.course.ended(heldOf(rig.fleet, rig.fleet.tasks.get(ids[2]!)!), {
      kind: 'succeeded',
      executionMs: 1,
    });
    await rig.journal.append(ended.changes, null);
    await rig.query('UPDATE tasks SET task_input = NULL, metadata = NULL WHERE id = $1', [ids[2]]);
    const outcomes = new OutcomesRepository(source);
    expect([...(await outcomes.metadataOf(ids))]).toEqual([[ids[0], '{"a": 1.0}']]);
    expect((await outcomes.metadataOf([])).size).toBe(0);
  });
});

/** Text that cannot be compressed much. */
function randomText(length: number): string {
  return randomBytes(length / 2).toString('hex');
}

describe('prediction settings', () => {
  it('come back as they were set last', async () => {
    const repository = new PredictionSettingsRepository(source, term);
    expect(await repository.mode()).toBeNull();
    await repository.setMode('lookup_table');
    await repository.setMode('default');
    expect(await repository.mode()).toBe('default');
  });

  it('are not written by a term that is over', async () => {
    await rig.query('UPDATE leadership SET epoch = 2');
    const repository = new PredictionSettingsRepository(source, term);
    await expect(repository.setMode('lookup_table')).rejects.toMatchObject({ code: 'not_leading' });
    expect(await repository.mode()).toBeNull();
  });
});
