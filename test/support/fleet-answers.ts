/** What the native API says of an instance, for tests of clients; changed as told. */
export function instanceAnswer(changed: Readonly<Record<string, unknown>> = {}): object {
  return {
    id: 'i1',
    name: 'gpu7',
    kind: 'task_instance',
    host: '10.0.0.7',
    port: 8100,
    model: 'm',
    health: 'online',
    unfit_because: null,
    draining: false,
    slots: 2,
    occupied: 1,
    waiting: 5,
    speed: 1.5,
    declared_speed: 1,
    speed_outcomes: 40,
    last_contact_at: '2026-11-21T10:00:00.000Z',
    registered_at: '2026-11-21T09:00:00.000Z',
    ...changed,
  };
}

/** What it says of a queue. */
export function queueAnswer(changed: Readonly<Record<string, unknown>> = {}): object {
  return {
    model: 'm',
    strategy: 'earliest',
    order_weight: 2,
    prefetch: 0,
    limit: 50_000,
    attempt_timeout_ms: 3_600_000,
    paused: false,
    waiting: 5,
    running: 3,
    instances: [{ instance_id: 'i1', instance_name: 'gpu7', wait_ms: 1840.5, wait_error_ms: 212 }],
    ...changed,
  };
}

/** What it says of a queue's last tasks: a spread of each time, and an hour without tasks. */
export function statisticsAnswer(): object {
  const spread = { p50: 100, p90: 200, p95: 300, p99: 400, max: 61_000, mean: 150 };
  return {
    last_tasks: { tasks: 12, wait_ms: spread, service_ms: spread, total_ms: spread },
    last_hour: { tasks: 0, wait_ms: null, service_ms: null, total_ms: null },
  };
}

/** What it says of a task in a list. */
export function summaryAnswer(changed: Readonly<Record<string, unknown>> = {}): object {
  return {
    id: '0193529e-70a2-7d31-9a30-2f6d0a4f5c11',
    client_task_id: 'order-1',
    kind: 'model',
    model: 'm',
    state: 'succeeded',
    instance_id: 'i1',
    attempt: 1,
    submitted_at: '2026-11-21T10:00:00.000Z',
    started_at: '2026-11-21T10:00:01.000Z',
    finished_at: '2026-11-21T10:00:03.000Z',
    execution_ms: 2000,
    wait_ms: 1000,
    failure: null,
    ...changed,
  };
}
