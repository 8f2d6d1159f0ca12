import type { WorkerProtocol } from '../core/instance';
import type { StartRequest } from './executor';
import { membersOf } from '../http/json-members';

/**
 * The body that hands an attempt to a worker. Input and metadata are set in as they are written,
 * never parsed and printed again: numbers, order and repeated names stay what they were.
 *
 * @throws {TypeError} when the metadata are not a JSON object
 */
export function enqueueBody(protocol: WorkerProtocol, request: StartRequest): string {
  const { taskId, queueName, taskInput } = request;
  const ids = `"task_id":${JSON.stringify(taskId)}`;
  const model = `"model_name":${JSON.stringify(queueName)}`;
  const metadata = `"metadata":${metadataWithIds(request)}`;
  switch (protocol) {
    case 'enqueue':
      return `{"input_data":${taskInput},${metadata},${ids},${model}}`;
    case 'submit':
      return `{${model},"task_input":${taskInput},${metadata},${ids}}`;
  }
}

/** Our ids take the place of the client's: readers differ on which of two equal names counts. */
function metadataWithIds({ metadata, taskId, dispatchId }: StartRequest): string {
  const members = membersOf(metadata);
  if (members === undefined) throw new TypeError('metadata must be a JSON object');
  const ours = [
    `"task_id":${JSON.stringify(taskId)}`,
    `"dispatch_id":${JSON.stringify(dispatchId)}`,
  ];
  const theirs = members
    .filter(({ name }) => name !== 'task_id' && name !== 'dispatch_id')
    .map(({ name, value }) => `${JSON.stringify(name)}:${value}`);
  return `{${[...theirs, ...ours].join(',')}}`;
}
