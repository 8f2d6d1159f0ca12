import type { LedgerClient } from './ledger-client';
import type { Json, ServiceProcess } from './service-process';
import { until } from './until';
import type { Ending } from './verdict';

/** Longer than any test takes: such a task ends when its worker is told to end it. */
export const ENDLESS_MS = 600_000;

/** One task of a test. */
export interface Errand {
  readonly model: string;
  /** Default: the name of the model. */
  readonly taskId?: string;
  /** How long its worker takes, in ms. Default: 20. */
  readonly serviceMs?: number;
  /** Further metadata. */
  readonly metadata?: object;
  /** How it has to end. Default: with a success. */
  readonly ending?: Ending;
}

/** Submits tasks one by one and looks at what becomes of them. */
export class TaskDesk {
  constructor(
    private readonly client: LedgerClient,
    private readonly service: () => ServiceProcess,
  ) {}

  /** Resolves when it is accepted. */
  async submit({ model, taskId = model, serviceMs = 20, ...rest }: Errand): Promise<void> {
    const { metadata = {}, ending } = rest;
    await this.client.submit({
      taskId,
      model,
      input: { taskId },
      metadata: { service_ms: serviceMs, ...metadata },
      ...(ending === undefined ? {} : { ending }),
    });
  }

  /** The task with its attempts and events, as `/v1/tasks/:id` tells. */
  async task(id: string): Promise<Json> {
    return (await this.service().get(`/v1/tasks/${id}`)).body;
  }

  /** Waits until the task is in one of these states. */
  async reached(id: string, ...states: string[]): Promise<Json> {
    await until(
      async () => states.includes((await this.task(id)).state),
      `${id} being ${states.join(' or ')}`,
    );
    return this.task(id);
  }

  /** Waits until a worker is known to have it. */
  atWorker(id: string): Promise<Json> {
    return this.reached(id, 'dispatched', 'running');
  }

  /**
   * Waits until the record shows attempts in these states: it follows the state of a live task by
   * one commit.
   */
  async attemptsOf(id: string, ...states: string[]): Promise<void> {
    let seen: unknown[] = [];
    const isSo = async (): Promise<boolean> => {
      const { attempts } = await this.task(id);
      seen = (attempts as { state: unknown }[]).map(({ state }) => state);
      return seen.join() === states.join();
    };
    await until(isSo, `attempts ${states.join()} of ${id}`).catch((cause: unknown) => {
      throw new Error(`the attempts of ${id} are ${seen.join()}, not ${states.join()}`, { cause });
    });
  }

  /** What happened to the task, in the words of its events. */
  async story(id: string): Promise<string> {
    const { events } = await this.task(id);
    return (events as { message: string }[]).map(({ message }) => message).join('\n');
  }

  /** The instance of that name, as `/v1/instances` tells; undefined when there is none. */
  async instance(name: string): Promise<Json> {
    const { body } = await this.service().get('/v1/instances');
    return (body.instances as Json[]).find((one: { name: unknown }) => one.name === name);
  }

  /** Waits until the instance is in this health. */
  async instanceIs(name: string, health: 'online' | 'suspect' | 'lost'): Promise<void> {
    await until(
      async () => (await this.instance(name))?.health === health,
      `${name} being ${health}`,
    );
  }
}
