import {
  draftOf,
  fleetRig,
  instanceDraftOf,
  newestHeld,
  quartiles,
  submitted,
} from '../../test/support/builders';
import type { Outcome } from '../core/task';
import { instanceId } from '../core/units';
import type { PredictedOutcome } from '../predictions/prediction-accuracy';
import { PredictionFeedback } from './prediction-feedback';

describe('PredictionFeedback', () => {
  const prediction = { ...quartiles(100, 200, 300), method: 'lookup' };
  const earlier = { model: 'm', instanceId: instanceId('gpu7'), ...prediction, actualMs: 7 };
  let observed: PredictedOutcome[];
  let feedback: PredictionFeedback;

  beforeEach(() => {
    observed = [];
    const accuracy = { observe: (outcome: PredictedOutcome): void => void observed.push(outcome) };
    const outcomes = { recent: () => Promise.resolve([earlier]) };
    feedback = new PredictionFeedback(accuracy, outcomes);
  });

  const end = (outcome: Outcome, speed = 1): void => {
    const { fleet } = fleetRig();
    const instance = fleet.addInstance(instanceDraftOf('gpu7'));
    fleet.updateInstance(instance, { declaredSpeed: speed });
    const { task } = submitted(fleet, draftOf({ prediction }));
    feedback.told(fleet.course.ended(newestHeld(fleet, task), outcome).changes);
  };

  it('tells how long a task ran, as an instance of speed 1 would have taken', () => {
    end({ kind: 'succeeded', executionMs: 150 });
    end({ kind: 'succeeded', executionMs: 150 }, 2);
    expect(observed).toMatchObject([
      { method: 'lookup', instanceId: 'gpu7', actualMs: 150, serviceTime: prediction.serviceTime },
      { method: 'lookup', actualMs: 300 },
    ]);
  });

  it('learns nothing from failures, nor where no time is known', () => {
    end({ kind: 'failed', failure: 'worker_error', message: 'no', executionMs: 150 });
    end({ kind: 'succeeded', executionMs: null });
    expect(observed).toEqual([]);
  });

  it('takes up what happened before', async () => {
    await feedback.onModuleInit();
    expect(observed).toEqual([earlier]);
  });
});
