import { CallError, type CallFailure } from '../outgoing/call-error';

/** A call to a predictor that did not work out. The message names the predictor and the call. */
export class PredictorError extends CallError {
  constructor(failure: CallFailure, options?: { cause?: unknown }) {
    super('predictor', failure, options);
    this.name = 'PredictorError';
  }
}
