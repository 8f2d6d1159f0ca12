import { OwnerHistory } from './owner-history.predictor';

describe('OwnerHistory', () => {
  it('knows nothing of whom it has not seen, nor of jobs with another limit', () => {
    const history = new OwnerHistory();
    history.learn('ann', 1_000, 10);
    const others = [history.predict('bob', 1_000), history.predict('ann', 2_000)];
    expect(others).toEqual([undefined, undefined]);
  });

  it('takes the geometric mean of the limit and the last two', () => {
    const history = new OwnerHistory();
    history.learn('ann', 400, 900);
    expect(history.predict('ann', 400)).toBe(400);
    history.learn('ann', 400, 50);
    history.learn('ann', 400, 150);
    expect(history.predict('ann', 400)).toBe(200);
  });

  it('takes the last two alone where there is no limit', () => {
    const history = new OwnerHistory();
    for (const ms of [9_000, 50, 150]) history.learn('ann', Infinity, ms);
    expect(history.predict('ann', Infinity)).toBe(100);
  });

  it('forgets what was quiet longest when there is too much', () => {
    const history = new OwnerHistory();
    for (const owner of ['ann', 'bob', 'ann']) history.learn(owner, 9, 1);
    for (let n = 0; n < 19_999; n++) history.learn(`o${n}`, 9, 1);
    expect([history.predict('ann', 9), history.predict('bob', 9)]).toEqual([3, undefined]);
  });
});
