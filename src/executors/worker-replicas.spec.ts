import { AnswerFault } from '../outgoing/answer-fault';
import { readReplicasStarted, readReplicasStopped } from './worker-replicas';

describe('answers to starts and stops of replicas', () => {
  it('are read with what the worker says, made harmless', () => {
    const started = { detail: 'two\u0000 up', replicas_started: 2, total_replicas: 3 };
    expect(readReplicasStarted(JSON.stringify(started))).toEqual({
      detail: 'two\uFFFD up',
      started: 2,
      total: 3,
    });
    const stopped = { stopped_replicas: ['r-1', 'r-\u0000'], remaining_replicas: 0 };
    expect(readReplicasStopped(JSON.stringify(stopped))).toEqual({
      detail: '',
      stopped: ['r-1', 'r-\uFFFD'],
      remaining: 0,
    });
  });

  it.each([{}, { stopped_replicas: 2, remaining_replicas: 0 }, { stopped_replicas: [1] }])(
    'are refused when they are %j',
    (answer) => {
      expect(() => readReplicasStopped(JSON.stringify(answer))).toThrow(AnswerFault);
    },
  );
});
