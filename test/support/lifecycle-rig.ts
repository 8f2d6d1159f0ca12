import { Logger } from '@nestjs/common';
import type { Held } from '../../src/core/backlog';
import type { Fleet } from '../../src/core/fleet';
import type { Change, Task, TaskEventType } from '../../src/core/task';
import { WakeupBell } from '../../src/ops/wakeup';
import { createDataSource } from '../../src/persistence/data-source';
import { InstancesRepository } from '../../src/persistence/instances.repository';
import { TaskJournal } from '../../src/persistence/task-journal';
import { TasksRepository } from '../../src/persistence/tasks.repository';
import { InDoubt } from '../../src/tasks/in-doubt';
import { PayloadCache } from '../../src/tasks/payload-cache';
import { TaskHistory } from '../../src/tasks/task-history';
import { TaskLifecycle } from '../../src/tasks/task-lifecycle';
import { TaskRecorder } from '../../src/tasks/task-recorder';
import { draftOf, fleetRig, instanceDraftOf, newestHeld, submitted } from './builders';
import type { FakeClock } from './fake-clock';

/** Takes everything at once, even while it says that PostgreSQL is away. */
export class WillingJournal {
  available = true;
  spareRows = Infinity;
  private readonly types: string[] = [];
  private held: Promise<void> = Promise.resolve();

  append(changes: readonly Change[]): Promise<void> {
    this.types.push(...changes.map(({ event }) => event.type));
    return this.held;
  }

  /** How many events of this type were written. */
  appended(type: TaskEventType): number {
    return this.types.filter((one) => one === type).length;
  }

  /** Commits nothing before the answer is called. */
  hold(): () => void {
    let commit: () => void = () => undefined;
    this.held = new Promise((resolve) => (commit = resolve));
    return commit;
  }
}

/** One task, reserved at the one instance of a fleet, and what carries it on. No database. */
export interface LifecycleRig {
  readonly fleet: Fleet;
  readonly clock: FakeClock;
  readonly journal: WillingJournal;
  readonly tasks: TasksRepository;
  readonly bell: WakeupBell;
  readonly recorder: TaskRecorder;
  readonly lifecycle: TaskLifecycle;
  readonly doubts: InDoubt;
  readonly task: Task;
  readonly held: Held;
}

export function lifecycleRig(): LifecycleRig {
  Logger.overrideLogger(false);
  const { fleet, clock } = fleetRig();
  const term = { epoch: 1, end: (): void => undefined };
  const url = 'postgres://nobody@127.0.0.1:1/nowhere';
  const source = createDataSource(url);
  const unused = new TaskJournal({
    url,
    epoch: 1,
    logger: { info: term.end, warn: term.end, error: term.end },
    onEpochLost: term.end,
    onMismatch: term.end,
  });
  const journal = new WillingJournal();
  const tasks = new TasksRepository(source);
  const bell = new WakeupBell();
  const recorder = new TaskRecorder(fleet, journal, new PayloadCache(), term, []);
  const history = new TaskHistory(tasks, unused, clock);
  const instances = new InstancesRepository(source, term);
  const lifecycle = new TaskLifecycle(fleet, recorder, history, instances, bell, clock);
  const doubts = new InDoubt(fleet, clock);
  fleet.addInstance(instanceDraftOf('gpu7'));
  const { task } = submitted(fleet, draftOf({ clientId: 'c' }));
  const held = newestHeld(fleet, task);
  return { fleet, clock, journal, tasks, bell, recorder, lifecycle, doubts, task, held };
}
