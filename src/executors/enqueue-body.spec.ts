import fc from 'fast-check';
import { dispatchId, taskId } from '../core/units';
import { enqueueBody } from './enqueue-body';

const IDS = { taskId: taskId('t-1'), dispatchId: dispatchId('d-1'), queueName: 'llama "3"' };
const OUR_IDS = '"task_id":"t-1","dispatch_id":"d-1"';

describe('enqueueBody', () => {
  const taskInput = '{ "n": 1.0, "big": 12345678901234567890, "e": 1e400, "a":1, "a":2 }';

  it('sets input and metadata in as they are written, for the first generation', () => {
    const metadata = '{"cost": 1.50 ,"x":{"task_id":"inner"}}';
    expect(enqueueBody('enqueue', { ...IDS, taskInput, metadata })).toBe(
      `{"input_data":${taskInput},` +
        `"metadata":{"cost":1.50,"x":{"task_id":"inner"},${OUR_IDS}},` +
        `"task_id":"t-1","model_name":"llama \\"3\\""}`,
    );
  });

  it('speaks the words of the later generation', () => {
    expect(enqueueBody('submit', { ...IDS, taskInput, metadata: '{}' })).toBe(
      `{"model_name":"llama \\"3\\"","task_input":${taskInput},` +
        `"metadata":{${OUR_IDS}},"task_id":"t-1"}`,
    );
  });

  it('puts our ids in the place of ids that the client chose, however they are escaped', () => {
    const metadata = '{"task_id":"mine","a":1,"\\u0064ispatch_id":{"b":2}}';
    const body = enqueueBody('enqueue', { ...IDS, taskInput: '{}', metadata });
    expect(body).toContain(`"metadata":{"a":1,${OUR_IDS}}`);
  });

  it('reaches the worker JSON-equal, whatever it is', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(object, object, (input, metadata) => {
        const texts = { taskInput: JSON.stringify(input), metadata: JSON.stringify(metadata) };
        const body: unknown = JSON.parse(enqueueBody('enqueue', { ...IDS, ...texts }));
        const theirs = JSON.parse(texts.metadata) as object;
        expect(body).toEqual({
          input_data: JSON.parse(texts.taskInput) as unknown,
          metadata: { ...theirs, task_id: 't-1', dispatch_id: 'd-1' },
          task_id: 't-1',
          model_name: 'llama "3"',
        });
      }),
    );
  });

  it('refuses metadata that are no object', () => {
    expect(() => enqueueBody('enqueue', { ...IDS, taskInput: '{}', metadata: '[]' })).toThrow(
      TypeError,
    );
  });
});
