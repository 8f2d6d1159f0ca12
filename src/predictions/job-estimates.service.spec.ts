import { taskId } from '../core/units';
import { JobEstimates } from './job-estimates.service';

const DAY = 24 * 3_600_000;

describe('JobEstimates', () => {
  it('goes by the limit while the owner is unknown, and by the assumed one without a limit', () => {
    const estimates = new JobEstimates(DAY);
    const [limited, endless] = [
      estimates.predict('ann', 5_000),
      estimates.predict('ann', Infinity),
    ];
    expect([limited.method, limited.serviceTime.mean]).toEqual(['limit', 5_000]);
    expect([endless.method, endless.serviceTime.mean]).toEqual(['default', DAY]);
  });

  it('goes by what the owner ran last with that limit', () => {
    const estimates = new JobEstimates(DAY);
    for (const ms of [100, 300]) estimates.learn('ann', Infinity, ms);
    estimates.learn('ann', 900, 400);
    const [free, limited] = [estimates.predict('ann', Infinity), estimates.predict('ann', 900)];
    expect([free.method, free.serviceTime.mean]).toEqual(['owner', 200]);
    expect([limited.method, limited.serviceTime.mean]).toEqual(['owner', 600]);
  });

  it('knows whose job it was until that has ended', () => {
    const estimates = new JobEstimates(DAY);
    const [id, other] = [taskId('t-1'), taskId('t-2')];
    estimates.remember(id, estimates.predict('ann', 1));
    estimates.remember(other, { ...estimates.predict('bob', 1) });
    expect([id, id, other].map((one) => estimates.recall(one))).toEqual([
      'ann',
      undefined,
      undefined,
    ]);
  });
});
