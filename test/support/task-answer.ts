/** What `GET /v1/tasks/{id}` answers, for tests of clients: a task that succeeded, changed as told. */
export function taskAnswer(changed: Readonly<Record<string, unknown>> = {}): object {
  return {
    id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c11',
    client_task_id: 'order-4711',
    kind: 'model',
    model: 'm',
    state: 'succeeded',
    instance_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
    submitted_at: '2026-11-21T10:00:00.000Z',
    finished_at: '2026-11-21T10:00:05.000Z',
    execution_ms: 2000,
    prediction: { method: 'metadata', service_ms: 3000 },
    failure: null,
    attempts: [attemptAnswer()],
    events: [
      {
        seq: 1,
        type: 'submitted',
        from: null,
        to: 'queued',
        attempt: 0,
        instance_id: null,
        at: '2026-11-21T10:00:00.000Z',
        message: 'submitted',
      },
    ],
    result: { output: 'blue' },
    ...changed,
  };
}

/** An attempt of such an answer: one that took its slot for three seconds. */
export function attemptAnswer(changed: Readonly<Record<string, unknown>> = {}): object {
  return {
    attempt: 1,
    dispatch_id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c12',
    instance_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b10',
    state: 'ended',
    remote_id: '7',
    reserved_at: '2026-11-21T10:00:02.000Z',
    sent_at: '2026-11-21T10:00:02.000Z',
    running_since: '2026-11-21T10:00:02.000Z',
    ended_at: '2026-11-21T10:00:05.000Z',
    execution_ms: 2000,
    decision: {
      strategy: 'earliest',
      decided_at: '2026-11-21T10:00:02.000Z',
      candidates: 2,
      wait_ms: 0,
      completion_ms: 3_000,
      runner_up: {
        instance_id: '0193529e-6f1c-7cc4-8a3e-5a4f0f6f9b11',
        wait_ms: 0,
        completion_ms: 6_000,
      },
      unfit_because: { draining: 1, busy: 3 },
    },
    ...changed,
  };
}
