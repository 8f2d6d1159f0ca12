import { Logger } from '@nestjs/common';
import {
  draftOf,
  fleetRig,
  instanceDraftOf,
  newestHeld,
  submitted,
  type FleetRig,
} from '../../test/support/builders';
import { until } from '../../test/support/until';
import type { Outcome, Task } from '../core/task';
import { taskId, type TaskId } from '../core/units';
import type { FinishedTask, TimeSpan } from '../persistence/outcomes.repository';
import type { Features } from '../predictions/online.predictor';
import { OutcomeLearner } from './outcome-learner';

const SPAN: TimeSpan = { afterMs: 3, untilMs: 99 };

describe('OutcomeLearner', () => {
  let rig: FleetRig;
  let learner: OutcomeLearner;
  let learned: (readonly [features: Features, serviceMs: number])[];
  let remembered: Map<TaskId, Features>;
  let cached: Map<TaskId, string>;
  let rows: Map<TaskId, string>;
  let reads: (readonly TaskId[])[];
  let isAway: boolean;
  let history: FinishedTask[];
  let saved: number;

  beforeEach(() => {
    Logger.overrideLogger(false);
    rig = fleetRig();
    const instance = rig.fleet.addInstance(instanceDraftOf('gpu7', 1_000));
    rig.fleet.updateInstance(instance, { declaredSpeed: 2 });
    [learned, reads, isAway, history, saved] = [[], [], false, [], 0];
    [remembered, cached, rows] = [new Map(), new Map(), new Map()];
    const source = {
      remember: (id: TaskId): void => void remembered.set(id, featuresNamed(id)),
      recall: (id: TaskId) => {
        const features = remembered.get(id);
        remembered.delete(id);
        return features;
      },
    };
    const models = {
      restore: () => Promise.resolve(10),
      knows: (model: string, finishedMs: number) => model === 'm' && finishedMs <= 12,
      learn: (features: Features, ms: number): void => void learned.push([features, ms]),
      save: () => Promise.resolve(void (saved = learned.length)),
    };
    const payloads = {
      get: (id: TaskId) => {
        const metadata = cached.get(id);
        return metadata === undefined ? undefined : { taskInput: '{}', metadata };
      },
    };
    const outcomes = {
      metadataOf: (ids: readonly TaskId[]) => {
        reads.push(ids);
        return isAway ? Promise.reject(new Error('away')) : Promise.resolve(rows);
      },
      newestEnds: () => Promise.resolve(history.length === 0 ? undefined : SPAN),
      finishedIn: async function* (span: TimeSpan) {
        expect(span).toEqual({ ...SPAN, afterMs: 10 });
        for (const task of history) yield await Promise.resolve([task]);
      },
    };
    learner = new OutcomeLearner(source, models, payloads, outcomes);
  });

  const featuresNamed = (name: string): Features => ({ model: 'm', metadata: { name } });
  const metadataNamed = (name: string): string => JSON.stringify({ name });
  const taken = (name: string): Task => {
    const { task, changes } = submitted(rig.fleet, draftOf({ id: taskId(name) }));
    learner.told(changes);
    return task;
  };
  const end = (task: Task, outcome: Outcome = { kind: 'succeeded', executionMs: 50 }): void =>
    learner.told(rig.fleet.course.ended(newestHeld(rig.fleet, task), outcome).changes);
  const names = (): readonly unknown[] => learned.map(([{ metadata }]) => metadata['name']);

  it('learns what was asked when the task came, and what it took at speed 1', () => {
    end(taken('t'));
    expect(learned).toEqual([[featuresNamed('t'), 100]]);
    expect(reads).toEqual([]);
  });

  it('takes the metadata from the payload when it is not remembered', () => {
    const task = taken('t');
    remembered.clear();
    cached.set(task.id, metadataNamed('t'));
    end(task);
    expect(names()).toEqual(['t']);
    expect(reads).toEqual([]);
  });

  it('reads many at once from their rows, and keeps the order of the ends', async () => {
    const tasks = ['a', 'b', 'c', 'd'].map(taken);
    remembered.delete(taskId('a'));
    remembered.delete(taskId('c'));
    for (const name of ['a', 'c']) rows.set(taskId(name), metadataNamed(name));
    tasks.forEach((task) => end(task));
    expect(names()).toEqual([]);
    await until(() => learned.length === 4, 'all to be learned');
    expect(names()).toEqual(['a', 'b', 'c', 'd']);
    expect(reads).toEqual([['a', 'c']]);
    end(taken('e'));
    await learner.onModuleDestroy();
    expect(names()).toContain('e');
  });

  it('passes over what nobody knows any more, and what cannot be read', async () => {
    isAway = true;
    const [away, gone, known] = ['away', 'gone', 'known'].map(taken);
    remembered.delete(away!.id);
    end(away!);
    end(known!);
    await learner.onModuleDestroy();
    isAway = false;
    remembered.delete(gone!.id);
    end(gone!);
    await learner.onModuleDestroy();
    expect(names()).toEqual(['known']);
  });

  describe('with a history', () => {
    const ended = (name: string, finishedMs: number, model = 'm'): FinishedTask => ({
      ...{ id: taskId(name), model, metadata: metadataNamed(name), finishedMs, actualMs: 7 },
    });

    it('first learns what ended before the term and is not known yet, then what comes', async () => {
      history = [ended('a', 11), ended('b', 11, 'other'), ended('c', 13), ended('d', 14)];
      const live = taken('live');
      await learner.onModuleInit();
      end(live);
      expect(names()).toEqual([]);
      await until(() => learned.length === 4, 'all to be learned');
      expect(names()).toEqual(['b', 'c', 'd', 'live']);
    });

    it('stops where it is, writes that down, and lets nothing newer count as known', async () => {
      history = [ended('c', 13), ended('d', 14)];
      const live = taken('live');
      await learner.onModuleInit();
      end(live);
      await learner.onModuleDestroy();
      expect(names()).toEqual(['c']);
      expect(saved).toBe(1);
    });
  });

  it('learns nothing from failures, nor where no time is known, and forgets the task', () => {
    end(taken('a'), { kind: 'failed', failure: 'worker_error', message: 'no', executionMs: 50 });
    end(taken('b'), { kind: 'succeeded', executionMs: null });
    expect(learned).toEqual([]);
    expect(remembered.size).toBe(0);
  });
});
