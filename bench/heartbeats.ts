import { NUMBER, post, UNIX_SECONDS, type Call, type Load, type LoadGenerator } from './load';
import type { Costed, Served, Surroundings } from './surroundings';

/** Workers say every so often that they are there. */
export const HEARTBEAT_S = 3;
const TAG_COUNT = 10;
/** So many that no placement of a run fills one. */
const MAX_TASKS = 1_000_000;
const COMBINATIONS = [['gpu'], ['gpu', 't3'], ['gpu', 't7'], ['t1', 'zone-1']];

/** Placements of all kinds of requests in turn. @param prefix of their ids */
export function scheduling(prefix: string): Pick<Load, 'calls'> {
  const calls = COMBINATIONS.map((required_tags) =>
    post('/api/v1/schedule', { task_id: `${prefix}-${NUMBER}`, required_tags }),
  );
  return { calls };
}

/** A fleet of workers, played from one process of its own. Each says that nothing occupies it. */
export class PlayedWorkers {
  private readonly calls: readonly Call[];
  private next = 0;

  private constructor(
    private readonly player: LoadGenerator,
    private readonly served: Served,
    private readonly count: number,
  ) {
    this.calls = Array.from({ length: count }, (_, n) => heartbeatOf(n));
  }

  /** Plays that many and lets each be heard of. */
  static async start(
    surroundings: Surroundings,
    served: Served,
    count: number,
  ): Promise<PlayedWorkers> {
    const workers = new PlayedWorkers(await surroundings.startGenerator(), served, count);
    await workers.sayOnce();
    return workers;
  }

  /** All of them, once, as fast as they can. */
  async sayOnce(): Promise<void> {
    const { calls, count } = this;
    const connections = Math.min(count, 8);
    await this.player.drive(this.origin, { calls, requests: count, connections });
  }

  /** In turn, from where it stopped, evenly spread, for as long as that. Default: each every 3 s. */
  async sayFor(seconds: number, perSecond = this.count / HEARTBEAT_S): Promise<void> {
    const calls = this.following(Math.ceil(seconds * perSecond));
    await this.player.drive(this.origin, { calls, perSecond, seconds, connections: 8 });
  }

  /** Drives a load while they go on, so many of them per second. */
  async during(
    surroundings: Surroundings,
    load: Load & { readonly seconds: number },
    perSecond: number,
  ): Promise<Costed> {
    const { child } = this.served.service;
    const [costed] = await Promise.all([
      surroundings.drive(child.pid, this.origin, load),
      this.sayFor(load.seconds, perSecond),
    ]);
    return costed;
  }

  /** That many heartbeats, or those of all workers where these are fewer. */
  private following(most: number): readonly Call[] {
    const { calls, next } = this;
    this.next = (next + most) % calls.length;
    return [...calls, ...calls].slice(next, next + Math.min(most, calls.length));
  }

  private get origin(): string {
    return this.served.service.url;
  }
}

function heartbeatOf(n: number): Call {
  const body = JSON.stringify({
    worker_id: `worker-${n}`,
    address: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:9000`,
    resource_tags: ['gpu', `t${n % TAG_COUNT}`, `zone-${n % 2}`],
    max_tasks: MAX_TASKS,
    current_tasks: 0,
    timestamp: UNIX_SECONDS,
  });
  // A number, not a text: the mark loses its quotation marks.
  const marked = body.replace(`"${UNIX_SECONDS}"`, UNIX_SECONDS);
  return { method: 'POST', path: '/api/v1/heartbeat', body: marked };
}
