import { SchedulerError } from '../../core/errors';
import { errorAnswer, predictorDialect } from './predictor.dialect';

describe('what the predictor owns', () => {
  it.each(['/predictor', '/predictor/', '/predictor/none', '/predictor/predict'])('%s', (path) => {
    expect(predictorDialect.owns(path)).toBe(true);
  });

  it.each(['/', '/predict', '/predictors', '/v1/predictor', '/Predictor/predict'])(
    'is not %s',
    (path) => {
      expect(predictorDialect.owns(path)).toBe(false);
    },
  );
});

describe('the answers to failures', () => {
  it('say what is wrong', () => {
    expect(errorAnswer(new SchedulerError('malformed_body', 'what'))).toEqual({
      status: 400,
      body: { status: 'error', message: 'what' },
    });
  });

  it('list every fault of an input', () => {
    const faults = [{ loc: ['body', 'model_type'], msg: 'wrong', type: 'type' }];
    expect(errorAnswer(new SchedulerError('invalid_input', 'what', { faults }))).toEqual({
      status: 422,
      body: { status: 'error', message: 'what', detail: faults },
    });
  });
});
