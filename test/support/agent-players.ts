import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { SeededRandom } from './seeded-random';

/** How the players behave; times in ms. */
export interface PlayOptions {
  readonly url: string;
  readonly random: SeededRandom;
  readonly agents: number;
  readonly heartbeatMs: number;
  /** Share of heartbeats that never arrive. */
  readonly loss: number;
  /** A heartbeat is under way for up to so long: they overtake each other. */
  readonly heartbeatDelayMs: number;
  /** A client takes up to so long to bring a task to its worker. */
  readonly bringMs: number;
  /** A task runs for up to so long. */
  readonly runMs: number;
}

/** A task that a client wants to have placed. */
interface Wish {
  readonly tags: readonly string[];
  readonly cpu: number;
}

const TAGS = ['gpu', 'fast', 'eu', 'us', 'large'];
const CORES = 4;
const CONNECTIONS = 64;

/** A worker, and what is really there: nobody else writes this ledger. */
class Player {
  /** What runs there, and how many cores it takes. */
  readonly running = new Map<string, number>();
  /** The most that ever ran there at once. */
  most = 0;
  mostCores = 0;

  constructor(
    readonly id: string,
    readonly tags: readonly string[],
    readonly maxTasks: number,
    /** Whether its heartbeats name its tasks. */
    readonly isExact: boolean,
    /** Its clock is wrong by so much, in s. */
    readonly clockSkew: number,
  ) {}

  begin(taskId: string, cpu: number): void {
    this.running.set(taskId, cpu);
    this.most = Math.max(this.most, this.running.size);
    const cores = [...this.running.values()].reduce((sum, one) => sum + one, 0);
    this.mostCores = Math.max(this.mostCores, cores);
  }

  get heartbeat(): object {
    return {
      worker_id: this.id,
      address: `${this.id}:9000`,
      resource_tags: this.tags,
      max_tasks: this.maxTasks,
      current_tasks: this.running.size,
      timestamp: Date.now() / 1_000 + this.clockSkew,
      ...(this.isExact && {
        task_ids: [...this.running.keys()],
        resources: { cpu: CORES, memory_gb: 0, gpu_memory_gb: 0 },
      }),
    };
  }
}

/** Many agents and their clients in one process, on a network that loses, delays and reorders. */
export class AgentPlayers {
  readonly players: readonly Player[];
  /** Placements that clients got, and times that nobody had room. */
  placed = 0;
  unplaced = 0;
  /** Answers that should not be. */
  readonly faults: string[] = [];
  private readonly pool: Pool;
  private readonly byId: ReadonlyMap<string, Player>;
  private readonly underWay = new Set<Promise<void>>();
  private asked = 0;
  private isOver = false;

  constructor(private readonly options: PlayOptions) {
    const { random, agents, url } = options;
    this.pool = new Pool(url, { connections: CONNECTIONS });
    this.players = Array.from({ length: agents }, (_, n) => {
      const tags = TAGS.filter(() => random.next() < 0.5);
      const skew = (random.next() - 0.5) * 1_000_000;
      const places = 1 + Math.floor(random.next() * 2);
      return new Player(`agent-${n}`, tags, places, n % 2 === 0, skew);
    });
    this.byId = new Map(this.players.map((player) => [player.id, player]));
  }

  /** Every agent heartbeats, from now on until `close`. Resolves when all have been heard. */
  async begin(): Promise<void> {
    await Promise.all(this.players.map((player) => this.post('heartbeat', player.heartbeat)));
    for (const player of this.players) this.inBackground(this.beat(player));
  }

  /** Clients ask for places, so many per second. @param stays whether their tasks never end */
  async ask(count: number, perSecond: number, stays = false): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.inBackground(this.client(stays));
      await sleep(1_000 / perSecond);
    }
  }

  /** What the scheduler says of the workers, by their ids. */
  async workers(): Promise<ReadonlyMap<string, { readonly current: number; status: string }>> {
    const { body } = await this.pool.request({ method: 'GET', path: '/api/v1/workers' });
    const list = (await body.json()) as {
      WorkerID: string;
      CurrentTasks: number;
      Status: string;
    }[];
    return new Map(
      list.map((one) => [one.WorkerID, { current: one.CurrentTasks, status: one.Status }]),
    );
  }

  /** Workers that ever had more than they can take, in words. */
  oversubscribed(): readonly string[] {
    return this.players
      .filter(({ most, maxTasks, mostCores }) => most > maxTasks || mostCores > CORES)
      .map((one) => `${one.id}: ${one.most} of ${one.maxTasks} tasks, ${one.mostCores} cores`);
  }

  /** The heart beats no more; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.underWay);
    await this.pool.close();
  }

  private inBackground(work: Promise<void>): void {
    const watched = work.catch((error: unknown) => void this.faults.push(String(error)));
    this.underWay.add(watched);
    void watched.finally(() => this.underWay.delete(watched));
  }

  private async beat(player: Player): Promise<void> {
    const { random, heartbeatMs, heartbeatDelayMs, loss } = this.options;
    await sleep(random.next() * heartbeatMs);
    while (!this.isOver) {
      const { heartbeat } = player;
      if (random.next() >= loss) {
        const delay = random.next() * heartbeatDelayMs;
        this.inBackground(this.deliver(heartbeat, delay));
      }
      await sleep(heartbeatMs);
    }
  }

  private async deliver(heartbeat: object, delayMs: number): Promise<void> {
    await sleep(delayMs);
    await this.post('heartbeat', heartbeat);
  }

  private wish(): Wish {
    const { random } = this.options;
    const tags = TAGS.filter(() => random.next() < 0.2);
    return { tags, cpu: random.next() < 0.3 ? 1 + Math.floor(random.next() * 3) : 0 };
  }

  /** Asks, brings the task to its worker, and lets it run there. */
  private async client(stays: boolean): Promise<void> {
    const { random, bringMs, runMs } = this.options;
    const taskId = `task-${++this.asked}`;
    const { tags, cpu } = this.wish();
    const wish = { task_id: taskId, required_tags: tags, ...(cpu > 0 && { resources: { cpu } }) };
    const { status, body } = await this.post('schedule', wish);
    if (status === 503) {
      this.unplaced++;
      return;
    }
    const player = this.byId.get((body as { worker_id: string }).worker_id);
    if (!player || !tags.every((tag) => player.tags.includes(tag))) {
      this.faults.push(`${taskId} wants ${tags.join()}, got ${JSON.stringify(body)}`);
      return;
    }
    this.placed++;
    await sleep(random.next() * bringMs);
    player.begin(taskId, cpu);
    if (stays) return;
    await sleep(random.next() * runMs);
    player.running.delete(taskId);
  }

  private async post(call: string, json: object): Promise<{ status: number; body: unknown }> {
    const { statusCode, body } = await this.pool.request({
      method: 'POST',
      path: `/api/v1/${call}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    });
    const answer: unknown = await body.json();
    if (statusCode !== 200 && statusCode !== 503)
      this.faults.push(`${call}: ${statusCode} ${JSON.stringify(answer)}`);
    return { status: statusCode, body: answer };
  }
}
