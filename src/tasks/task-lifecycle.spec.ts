import { draftOf, instanceDraftOf, newestHeld, submitted } from '../../test/support/builders';
import { lifecycleRig, type LifecycleRig } from '../../test/support/lifecycle-rig';
import type { Held } from '../core/backlog';
import { ONE_SLOT } from '../core/resources';
import { dispatchId } from '../core/units';
import { FETCH_RESULT } from './early-reports';
import type { Report } from './worker-report';

const REPORT: Report = {
  taskRef: '7',
  instanceRef: 'gpu7',
  dispatchId: null,
  outcome: { kind: 'succeeded', executionMs: null },
  result: '{"is":"there"}',
};

describe('TaskLifecycle', () => {
  it('applies a report that it has kept, even while PostgreSQL is away', async () => {
    const { lifecycle, journal, task, held } = lifecycleRig();
    expect(await lifecycle.report(REPORT)).toEqual({ kind: 'kept' });
    journal.available = false;
    await lifecycle.confirmed(held, '7');
    expect([task.state, held.attempt.state]).toEqual(['succeeded', 'ended']);
  });

  it('takes no end from a worker while PostgreSQL is away, which repeats it', async () => {
    const { lifecycle, journal, task, held } = lifecycleRig();
    await lifecycle.confirmed(held, '7');
    journal.available = false;
    await expect(lifecycle.report(REPORT)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect([task.state, held.attempt.state]).toEqual(['dispatched', 'live']);
  });

  it('frees the slot by a bare notification, which is kept before it is acknowledged', async () => {
    const { lifecycle, journal, task, held } = lifecycleRig();
    await lifecycle.confirmed(held, '7');
    const bare = { ...REPORT, result: FETCH_RESULT } as const;
    journal.available = false;
    await expect(lifecycle.report(bare)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect([held.attempt.vacated, journal.appended('vacated')]).toEqual([false, 0]);
    journal.available = true;
    expect(await lifecycle.report(bare)).toEqual({ kind: 'recorded', task });
    expect([task.state, held.attempt.vacated]).toEqual(['dispatched', true]);
    expect(journal.appended('vacated')).toBe(1);
  });

  it('means the newer attempt by an id that was handed out again, from its answer on', async () => {
    const { lifecycle, journal, fleet, task, held } = lifecycleRig();
    await lifecycle.confirmed(held, '7');
    for (const instance of fleet.instances.values()) {
      fleet.updateInstance(instance, { capacity: { ...ONE_SLOT, slots: 2 } });
    }
    const { task: newer } = submitted(fleet, draftOf({ clientId: 'newer' }));
    const its = newestHeld(fleet, newer);
    // The loss of the older one takes its time in the database.
    const commit = journal.hold();
    const confirmed = lifecycle.confirmed(its, '7');
    const reported = lifecycle.report(REPORT);
    commit();
    expect(await reported).toEqual({ kind: 'recorded', task: newer });
    await confirmed;
    expect([task.state, newer.state]).toEqual(['queued', 'succeeded']);
  });

  it('does not apply the word on an attempt that is over to another one', async () => {
    const { lifecycle, journal, fleet, clock, task, held } = lifecycleRig();
    await lifecycle.returned(held, 'refused, and yet it ran');
    clock.advance(60_000);
    fleet.stir();
    fleet.placeWaiting(1);
    const live = newestHeld(fleet, task);
    await lifecycle.confirmed(live, '8');
    const outcome = {
      kind: 'failed',
      failure: 'worker_error',
      message: 'late',
      executionMs: 1,
    } as const;
    const late = { ...REPORT, taskRef: 'c', dispatchId: dispatchId('long-gone'), outcome };
    expect(await lifecycle.report(late)).toEqual({ kind: 'repeated', totalMs: null });
    expect([task.state, live.attempt.state]).toEqual(['dispatched', 'live']);
    expect(journal.appended('late_result')).toBe(1);
  });

  describe('of workers with the same name', () => {
    const namesakes = async (): Promise<LifecycleRig & { others: Held }> => {
      const rig = lifecycleRig();
      for (const instance of rig.fleet.instances.values()) {
        rig.fleet.updateInstance(instance, { name: 'both' });
      }
      rig.fleet.addInstance(instanceDraftOf('gpu8', 1, { name: 'both' }));
      const { task } = submitted(rig.fleet, draftOf({ clientId: 'other' }));
      const others = newestHeld(rig.fleet, task);
      await rig.lifecycle.confirmed(rig.held, '7');
      return { ...rig, others };
    };

    const SPOKEN = { ...REPORT, instanceRef: 'both' };

    it('believes nobody while it may be the other one who speaks', async () => {
      const { lifecycle, task, others } = await namesakes();
      expect(await lifecycle.report(SPOKEN)).toEqual({ kind: 'unknown_instance' });
      await lifecycle.confirmed(others, '7');
      expect(await lifecycle.report(SPOKEN)).toEqual({ kind: 'unknown_instance' });
      expect([task.state, others.task.state]).toEqual(['dispatched', 'dispatched']);
    });

    it('believes the one who has what is spoken of', async () => {
      const { lifecycle, others, task } = await namesakes();
      await lifecycle.confirmed(others, '8');
      expect(await lifecycle.report(SPOKEN)).toEqual({ kind: 'recorded', task });
      const { dispatchId: id } = others.attempt;
      const named = { ...SPOKEN, taskRef: 'whatever', dispatchId: id };
      expect(await lifecycle.report(named)).toEqual({ kind: 'recorded', task: others.task });
    });
  });

  it.each([
    ['nothing', 250, 0, null],
    ['seconds instead of ms', 250, 0.25, null],
    ['more than there was', 250, 60_000, null],
    ['less than nothing', 250, -1, null],
    ['what it was', 250, 240, 240],
    ['little, of what cannot be measured well', 50, 0, 0],
  ])('takes an execution time of %s for what it is', async (_what, passedMs, executionMs, kept) => {
    const { lifecycle, clock, held } = lifecycleRig();
    await lifecycle.confirmed(held, '7');
    clock.advance(passedMs);
    await lifecycle.report({ ...REPORT, outcome: { kind: 'succeeded', executionMs } });
    expect(held.attempt.executionMs).toBe(kept);
  });
});
