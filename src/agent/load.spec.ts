import { parseLoad } from './load';

describe('the load of a worker', () => {
  it.each([
    ['2', { currentTasks: 2, taskIds: null }],
    [' 0\n', { currentTasks: 0, taskIds: null }],
    ['{"current_tasks":3}', { currentTasks: 3, taskIds: null }],
    ['{"current_tasks":3,"task_ids":null}', { currentTasks: 3, taskIds: null }],
    ['{"current_tasks":2,"task_ids":["a","b"]}', { currentTasks: 2, taskIds: ['a', 'b'] }],
    ['{"task_ids":["a","b"],"more":1}', { currentTasks: 2, taskIds: ['a', 'b'] }],
    ['{"task_ids":[]}', { currentTasks: 0, taskIds: [] }],
    // More than there is room for is the worker's own affair.
    ['{"current_tasks":1000000}', { currentTasks: 1_000_000, taskIds: null }],
  ])('is read from %s', (text, load) => {
    expect(parseLoad(text)).toEqual(load);
  });

  it.each([
    ['', 'got nothing'],
    ['two', 'got two'],
    ['"2"', 'got "2"'],
    ['null', 'got null'],
    ['[]', 'got []'],
    ['{}', 'got {}'],
    ['{"current_tasks":null}', 'a whole number'],
    ['1.5', 'current_tasks must be a whole number from 0 to 1000000; got 1.5'],
    ['-1', 'got -1'],
    ['1000001', 'got 1000001'],
    ['{"current_tasks":"2"}', 'got "2"'],
    ['{"current_tasks":1,"task_ids":"a"}', 'task_ids must be a list'],
    ['{"task_ids":[""]}', 'task_ids must be a list of texts of 1 to 256 characters'],
    ['{"task_ids":[7]}', 'task_ids must be a list'],
    [JSON.stringify({ task_ids: ['x'.repeat(257)] }), 'task_ids must be a list'],
    [
      JSON.stringify({ task_ids: Array.from({ length: 10_001 }, () => 'x') }),
      'task_ids must be at most 10000; got 10001',
    ],
    ['x'.repeat(1_000), `got ${'x'.repeat(80)}…`],
  ])('is not %.40s', (text, reason) => {
    expect(() => parseLoad(text)).toThrow(reason);
  });
});
