import { OwnerHistory } from './owner-history.predictor';

describe('OwnerHistory', () => {
  it('knows nothing of whom it has not seen', () => {
    expect(new OwnerHistory().predict('ann', 1_000)).toBeUndefined();
  });

  it('takes the mean of the last two', () => {
    const history = new OwnerHistory();
    history.learn('ann', 100);
    expect(history.predict('ann', Infinity)).toBe(100);
    history.learn('ann', 300);
    history.learn('bob', 7);
    expect([history.predict('ann', Infinity), history.predict('bob', Infinity)]).toEqual([200, 7]);
    history.learn('ann', 500);
    expect(history.predict('ann', Infinity)).toBe(400);
  });

  it('never goes above the limit', () => {
    const history = new OwnerHistory();
    history.learn('ann', 5_000);
    expect(history.predict('ann', 1_000)).toBe(1_000);
  });

  it('forgets who was quiet longest when there are too many', () => {
    const history = new OwnerHistory();
    for (const owner of ['ann', 'bob']) history.learn(owner, 1);
    history.learn('ann', 1);
    for (let n = 0; n < 9_999; n++) history.learn(`o${n}`, 1);
    expect([history.predict('ann', 9), history.predict('bob', 9)]).toEqual([1, undefined]);
  });
});
