import { isSchedulerError } from '../../core/errors';
import type { WorkerView } from '../../placements/workers.service';
import { placedAt, toHeartbeat, toRequest, workerAnswer } from './dtask.mapper';

const BEAT = {
  worker_id: 'w',
  address: '10.0.0.5:9000',
  resource_tags: ['gpu', 'cuda-12.0'],
  max_tasks: 30,
  current_tasks: 5,
  timestamp: 1_763_719_200.25,
  leaving: false,
};
const TASK = { task_id: 't', required_tags: ['gpu'], priority: 0, wait_ms: 0 };

describe('a heartbeat', () => {
  it('of the original says what counts and nothing more', () => {
    expect(toHeartbeat(BEAT)).toEqual({
      workerId: 'w',
      address: '10.0.0.5:9000',
      tags: ['gpu', 'cuda-12.0'],
      maxTasks: 30,
      currentTasks: 5,
      sentAtMs: 1_763_719_200_250,
      taskIds: null,
      resources: null,
      leaving: false,
    });
  });

  it('may say which tasks the worker has, what can be reserved, and that it leaves', () => {
    const resources = { cpu: 8, memory_gb: 64, gpu_memory_gb: 24 };
    const said = toHeartbeat({ ...BEAT, task_ids: [], resources, leaving: true });
    expect(said).toMatchObject({
      taskIds: [],
      resources: { cpu: 8, memoryGb: 64, gpuMemoryGb: 24 },
      leaving: true,
    });
  });

  it('takes null for what was not said', () => {
    const said = toHeartbeat({ ...BEAT, resource_tags: null, task_ids: null, resources: null });
    expect(said).toMatchObject({ tags: [], taskIds: null, resources: null });
  });
});

describe('a task', () => {
  it('needs what it says and nothing else', () => {
    const nothing = { cpu: 0, memoryGb: 0, gpuMemoryGb: 0 };
    const asked = { taskId: 't', requiredTags: ['gpu'], priority: 0, waitMs: 0 };
    expect(toRequest(TASK)).toEqual({ ...asked, resources: nothing });
    expect(toRequest({ ...TASK, resources: null }).resources).toEqual(nothing);
    const resources = { cpu: 1, memory_gb: 2, gpu_memory_gb: 3 };
    expect(toRequest({ ...TASK, resources, priority: -7, wait_ms: 500 })).toMatchObject({
      resources: { cpu: 1, memoryGb: 2, gpuMemoryGb: 3 },
      priority: -7,
      waitMs: 500,
    });
  });

  it('counts null and empty tags for nothing', () => {
    expect(toRequest({ ...TASK, required_tags: null }).requiredTags).toEqual([]);
    expect(toRequest({ ...TASK, required_tags: ['', 'a', ''] }).requiredTags).toEqual(['a']);
  });

  it.each(['', null])('without an id, %j, is refused', (taskId) => {
    let thrown: unknown;
    try {
      toRequest({ ...TASK, task_id: taskId });
    } catch (error) {
      thrown = error;
    }
    const fault = { loc: ['body', 'task_id'], msg: expect.any(String), type: 'missing' };
    expect(isSchedulerError(thrown, 'invalid_input') && thrown.details.faults).toEqual([fault]);
  });
});

describe('an answer', () => {
  it('names the worker and where it is', () => {
    expect(placedAt({ workerId: 'w', address: 'a:1' })).toEqual({ worker_id: 'w', address: 'a:1' });
  });

  it.each([
    ['online', 'online'],
    ['suspect', 'suspicious'],
    ['lost', 'offline'],
  ] as const)('says of a worker that is %s: %s', (health, status) => {
    const worker: WorkerView = {
      workerId: 'w',
      address: 'a:1',
      tags: ['gpu'],
      maxTasks: 4,
      currentTasks: 3,
      available: 1,
      lastHeartbeatWallMs: Date.UTC(2026, 10, 21, 10),
      health,
    };
    expect(workerAnswer(worker)).toEqual({
      WorkerID: 'w',
      Address: 'a:1',
      ResourceTags: ['gpu'],
      MaxTasks: 4,
      CurrentTasks: 3,
      Available: 1,
      LastHeartbeat: '2026-11-21T10:00:00.000Z',
      Status: status,
    });
  });
});
