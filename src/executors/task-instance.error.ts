import { CallError, type CallFailure } from '../outgoing/call-error';

/** A call to a task instance that did not work out. The message names the instance and the call. */
export class TaskInstanceError extends CallError {
  constructor(failure: CallFailure, options?: { cause?: unknown }) {
    super('task instance', failure, options);
    this.name = 'TaskInstanceError';
  }
}
