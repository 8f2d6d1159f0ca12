import { Headcount } from './headcount';
import { instant, taskId } from './units';

const task = (n: number) => taskId(`t${n}`);

describe('Headcount', () => {
  it('counts what is placed at once', () => {
    const headcount = new Headcount();
    headcount.place(task(1), instant(0));
    headcount.place(task(2), instant(1));
    expect(headcount.occupied).toBe(2);
    headcount.letGo(task(1));
    expect(headcount.occupied).toBe(1);
  });

  it('counts placements beside a bare count until they have landed', () => {
    const headcount = new Headcount();
    headcount.place(task(1), instant(0));
    headcount.place(task(2), instant(2_000));
    headcount.hear({ currentTasks: 5, taskIds: null }, instant(0));
    expect(headcount.occupied).toBe(6);
    expect(headcount.isLanding(task(1))).toBe(false);
    headcount.hear({ currentTasks: 5, taskIds: null }, instant(2_000));
    expect(headcount.occupied).toBe(5);
  });

  it('leaves a count as it is when what it includes is over: the next one says so', () => {
    const headcount = new Headcount();
    headcount.place(task(1), instant(0));
    headcount.hear({ currentTasks: 1, taskIds: null }, instant(0));
    headcount.letGo(task(1));
    expect(headcount.occupied).toBe(1);
  });

  it('counts a task once that is named, however young it is', () => {
    const headcount = new Headcount();
    headcount.place(task(1), instant(5));
    headcount.confirm(task(1));
    headcount.hear({ currentTasks: 1, taskIds: new Set(['a']) }, instant(0));
    expect(headcount.occupied).toBe(1);
    expect(headcount.isExact).toBe(true);
  });

  it('believes the greater of a count and the names beside it', () => {
    const headcount = new Headcount();
    headcount.hear({ currentTasks: 1, taskIds: new Set(['a', 'b']) }, instant(0));
    expect(headcount.occupied).toBe(2);
    headcount.hear({ currentTasks: 3, taskIds: new Set(['a', 'b']) }, instant(0));
    expect(headcount.occupied).toBe(3);
  });

  it('takes no figures that newer ones have overtaken, unless the clock was set back', () => {
    const headcount = new Headcount();
    expect(headcount.isNews(100, instant(0), 10_000)).toBe(true);
    expect(headcount.isNews(100, instant(1), 10_000)).toBe(true);
    expect(headcount.isNews(99, instant(9_999), 10_000)).toBe(false);
    expect(headcount.isNews(99, instant(10_001), 10_000)).toBe(true);
    expect(headcount.isNews(98, instant(10_002), 10_000)).toBe(false);
  });
});
