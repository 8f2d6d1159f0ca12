import { FakeClock } from '../../test/support/fake-clock';
import { keptLog } from '../../test/support/worker-fakes';
import type { SchedulerAnswer } from '../outgoing/scheduler-connection';
import type { HostRegistration, WorkerFacts } from './agent-options';
import type { SchedulerPosts } from './beat';
import { HostBeat } from './host-beat';
import { LoadMeter } from './load-meter';
import { WorkerBeat } from './worker-beat';

const TAKEN: SchedulerAnswer = { kind: 'answered', status: 'ok', message: '' };
const AWAY: SchedulerAnswer = { kind: 'unavailable', message: 'nobody', retryAfterMs: 0 };
const UNKNOWN: SchedulerAnswer = { kind: 'refused', httpStatus: 404, message: 'no such host' };

/** Keeps what is posted; takes everything until it is told otherwise. */
class Posts implements SchedulerPosts {
  readonly sent: [path: string, body: unknown][] = [];
  readonly answers: SchedulerAnswer[] = [];

  post(path: string, body: string): Promise<SchedulerAnswer> {
    this.sent.push([path, JSON.parse(body)]);
    return Promise.resolve(this.answers.shift() ?? TAKEN);
  }

  get paths(): string[] {
    return this.sent.map(([path]) => path);
  }
}

describe('the heartbeat of a worker', () => {
  const facts: WorkerFacts = {
    kind: 'worker',
    id: 'w',
    address: '10.0.0.5:9000',
    tags: ['gpu'],
    maxTasks: 8,
    resources: null,
    load: null,
  };
  const said = {
    worker_id: 'w',
    address: '10.0.0.5:9000',
    resource_tags: ['gpu'],
    max_tasks: 8,
    timestamp: 1_700_000_000.25,
  };
  const posts = new Posts();
  const beat = (worker: WorkerFacts, taskIds: readonly string[] | null): WorkerBeat => {
    const meter = new LoadMeter(null, { currentTasks: 2, taskIds }, keptLog().log);
    return new WorkerBeat(worker, meter, posts, new FakeClock(1_700_000_000_250));
  };

  beforeEach(() => posts.sent.splice(0));

  it('has the words of the original where nothing more is known', async () => {
    expect(await beat(facts, null).send()).toEqual(TAKEN);
    expect(posts.sent).toEqual([['/api/v1/heartbeat', { ...said, current_tasks: 2 }]]);
  });

  it('says which tasks it has, what can be reserved, and goodbye', async () => {
    const resources = { cpu: 4, memoryGb: 16, gpuMemoryGb: 24 };
    await beat({ ...facts, resources }, ['a', 'b']).leave();
    const more = {
      task_ids: ['a', 'b'],
      resources: { cpu: 4, memory_gb: 16, gpu_memory_gb: 24 },
      leaving: true,
    };
    expect(posts.sent).toEqual([['/api/v1/heartbeat', { ...said, current_tasks: 2, ...more }]]);
  });
});

describe('the heartbeat of a host', () => {
  const beat = (posts: Posts, registration: HostRegistration | null): HostBeat =>
    new HostBeat({ kind: 'host', id: 'h 1', registration }, posts);
  const BEAT = '/scheduler/hosts/h%201/heartbeat';
  const REGISTER = '/scheduler/hosts/register';

  it('registers first, and again when it is not known any more', async () => {
    const posts = new Posts();
    const host = beat(posts, { slots: 8, memoryGb: 64, labels: { os: 'linux' }, prefix: 'ssh h1' });
    posts.answers.push(AWAY, TAKEN, TAKEN, UNKNOWN, TAKEN, TAKEN);
    for (let beats = 0; beats < 5; beats += 1) await host.send();
    expect(posts.paths).toEqual([REGISTER, REGISTER, BEAT, BEAT, REGISTER, BEAT]);
    expect(posts.sent[0]?.[1]).toEqual({
      host_id: 'h 1',
      total_slots: 8,
      total_memory_gb: 64,
      labels: { os: 'linux' },
      executor_prefix: 'ssh h1',
    });
  });

  it('is all there is where somebody else registers it', async () => {
    const posts = new Posts();
    const host = beat(posts, null);
    posts.answers.push(TAKEN, UNKNOWN);
    expect([await host.send(), await host.send()]).toEqual([TAKEN, UNKNOWN]);
    expect(posts.paths).toEqual([BEAT, BEAT]);
    expect(await host.leave()).toBeNull();
  });
});
