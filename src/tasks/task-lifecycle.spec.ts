import { lifecycleRig } from '../../test/support/lifecycle-rig';
import { FETCH_RESULT } from './early-reports';
import type { Report } from './task-lifecycle';

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

  it('frees the slot by a bare notification, even while PostgreSQL is away', async () => {
    const { lifecycle, journal, task, held } = lifecycleRig();
    await lifecycle.confirmed(held, '7');
    journal.available = false;
    const answer = await lifecycle.report({ ...REPORT, result: FETCH_RESULT });
    expect(answer).toEqual({ kind: 'recorded', task });
    expect([task.state, held.attempt.vacated]).toEqual(['dispatched', true]);
  });
});
